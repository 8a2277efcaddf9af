import { readFileSync } from "node:fs";

/** The model and the data that `seqc new` writes, by the ends of their names; `NAME` in them is the model's. Data in the built package. */
export function readStarter(): Readonly<Record<string, string>> {
  const read = (end: string): string => readFileSync(new URL(`starter/starter${end}`, import.meta.url), "utf8");
  return { ".seq": read(".seq"), ".txt": read(".txt") };
}
