import { availableParallelism } from "node:os";
import { InvalidArgumentError, Option } from "commander";
import { DEFAULT_TARGET, isTarget, TARGETS, type TargetName, targetNames } from "../runtime/targets.ts";

/** Options that several commands share, and readers of their values. */

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} on.`);
  };
}

/** For options that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** `a,b` as a list. */
export function commaList(text: string): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.every((item) => item !== "")) return items;
  throw new InvalidArgumentError("Names are separated by single commas: a,b.");
}

export function targetOption(usual: TargetName = DEFAULT_TARGET): Option {
  const docs = targetNames().map((name) => `${name} (${TARGETS[name].doc})`);
  return new Option("--target <name>", `where to run: ${docs.join(", ")}`)
    .argParser((text: string): TargetName => {
      if (isTarget(text)) return text;
      throw new InvalidArgumentError(`It is one of ${targetNames().join(", ")}.`);
    })
    .default(usual);
}

/** More threads than this are a slip of the hand. */
const MOST_THREADS = 256;

export function threadsOption(): Option {
  return new Option(
    "--threads <n>",
    "how many threads of the processor work together on --target wasm; the numbers do not depend on it (usually as many as pay)",
  ).argParser((text: string): number => {
    const count = wholeNumber(1)(text);
    if (count <= MOST_THREADS) return count;
    throw new InvalidArgumentError(
      `It is ${MOST_THREADS} at most; this machine runs ${availableParallelism()} at once.`,
    );
  });
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

export function memoryOption(): Option {
  return new Option(
    "--memory <bytes>",
    "what a program may take on --target wasm, as 500M or 2G; above, long loops keep few states and compute steps again (usually 4G)",
  ).argParser((text: string): number => {
    const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
    const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
    if (digits !== "" && bytes >= 1 && bytes <= 4 * UNITS.G!) return Math.floor(bytes);
    throw new InvalidArgumentError("It is a number of bytes up to 4G, as 800000, 500M or 1.5G.");
  });
}

export const SET_HELP = "give a parameter of the model: --set H=64; may be repeated";
