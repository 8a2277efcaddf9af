import { constantSize, multiplySizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";

/** Whether strides, in elements, are those of axes that lie row-major and without gaps. */
export function isRowMajor(axes: readonly Axis[], strides: readonly Size[]): boolean {
  let inside = constantSize(1);
  return axes.toReversed().every(({ size }, at) => {
    const wanted = inside;
    inside = multiplySizes(size, inside);
    return strides.at(-1 - at)?.text === wanted.text;
  });
}
