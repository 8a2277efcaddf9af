import type { DType } from "../ir/type.ts";

/** From the operands' dtypes to the result's, or a sentence that says what is wrong. */
export type DTypeRule = (inputs: readonly DType[]) => DType | { readonly wrong: string };

/** Numbers in, float out: an int operand is promoted. */
export const toReal: DTypeRule = (inputs) => numbers(inputs) ?? "float";

/** Numbers in; int where all are int, else float. */
export const promoted: DTypeRule = (inputs) =>
  numbers(inputs) ?? (inputs.every((dtype) => dtype === "int") ? "int" : "float");

/** Numbers in, bool out. */
export const compared: DTypeRule = (inputs) => numbers(inputs) ?? "bool";

/** Numbers or booleans, not mixed, in; bool out. */
export const equated: DTypeRule = (inputs) =>
  inputs.every((dtype) => dtype === "bool") ? "bool" : (numbers(inputs) ?? "bool");

/** Booleans in, bool out. */
export const logical: DTypeRule = (inputs) =>
  inputs.every((dtype) => dtype === "bool") ? "bool" : { wrong: `needs booleans, not ${inputs.join(" and ")}` };

/** Values that can stand in for one another: booleans, or numbers as `promoted`. */
export const alternatives: DTypeRule = (inputs) =>
  inputs.every((dtype) => dtype === "bool") ? "bool" : promoted(inputs);

function numbers(inputs: readonly DType[]): { readonly wrong: string } | undefined {
  return inputs.includes("bool") ? { wrong: `needs numbers, not ${inputs.join(" and ")}` } : undefined;
}
