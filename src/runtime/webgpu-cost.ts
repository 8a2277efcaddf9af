import type { Loop } from "../plan/value.ts";

export function chooseWhole(_loop: Loop, _length: number, _groups: number): boolean {
  return true;
}
