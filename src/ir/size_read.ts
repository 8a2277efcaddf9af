import {
  addSizes,
  ceilSize,
  constantSize,
  divideSizes,
  multiplySizes,
  namedSize,
  partSize,
  type Size,
  subtractSizes,
} from "./size.ts";

/**
 * The size that a canonical text stands for (or any expression of + - * / ** ceil() and parts `x[label]`).
 * Throws with a sentence that names the text where it is none.
 */
export function readSize(text: string): Size {
  const tokens = text.match(/\[[^\]]*\]|\*\*|\d+|[A-Za-z_][\w.~']*|\S/g) ?? [];
  let at = 0;
  const peek = (): string => tokens[at] ?? "";
  const take = (): string => tokens[at++] ?? "";
  const fail = (problem: string): never => {
    throw new Error(`${JSON.stringify(text)} is no size: ${problem}`);
  };

  const sum = (): Size => {
    let size = peek() === "-" ? constantSize(0) : product();
    while (peek() === "+" || peek() === "-") {
      size = take() === "+" ? addSizes(size, product()) : subtractSizes(size, product());
    }
    return size;
  };
  const product = (): Size => {
    let size = power();
    while (peek() === "*" || peek() === "/") {
      size =
        take() === "*" ? multiplySizes(size, power()) : (divideSizes(size, power()) ?? fail("it divides by a sum"));
    }
    return size;
  };
  const power = (): Size => {
    const base = part();
    if (peek() !== "**") return base;
    take();
    const exponent = Number(take());
    if (!Number.isInteger(exponent)) fail("an exponent is a whole number");
    return Array.from({ length: exponent }).reduce<Size>((size) => multiplySizes(size, base), constantSize(1));
  };
  const part = (): Size => {
    let size = atom();
    while (peek().startsWith("[")) size = partSize(size, take().slice(1, -1));
    return size;
  };
  const atom = (): Size => {
    const token = take();
    if (/^\d/.test(token)) return constantSize(Number(token));
    if (token === "(") return closed(sum());
    if (token === "ceil" && peek() === "(") {
      take();
      return ceilSize(closed(sum()));
    }
    return /^[A-Za-z_]/.test(token)
      ? namedSize(token)
      : fail(token === "" ? "it ends early" : `"${token}" is unexpected`);
  };
  const closed = (size: Size): Size => (take() === ")" ? size : fail("a bracket is not closed"));

  const size = sum();
  return at < tokens.length ? fail(`"${peek()}" is unexpected`) : size;
}
