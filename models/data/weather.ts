import { packageText } from "./file.ts";

/**
 * Pieces of `length` days of Seattle's highest temperatures 2012 to 2015 in tens of degrees Celsius, one every `step` days,
 * and the season of its middle: winter (December to February) 0, spring 1, summer 2, autumn 3.
 */
export function seasons({ length, step, years }: { length: number; step: number; years: readonly number[] }): {
  x: readonly (readonly number[])[];
  season: readonly number[];
} {
  const [, ...lines] = packageText("vega-datasets/data/seattle-weather.csv").trim().split("\n");
  const days = lines.map((line) => line.split(",")).filter(([date = ""]) => years.includes(Number(date.slice(0, 4))));
  const starts = Array.from({ length: Math.floor((days.length - length) / step) + 1 }, (_, at) => at * step);
  const pieces = starts.map((start) => days.slice(start, start + length));
  return {
    x: pieces.map((piece) => piece.map(([, , highest]) => Number(highest) / 10)),
    season: pieces.map((piece) => Math.floor(Number(piece[length >> 1]?.[0]?.slice(5, 7)) / 3) % 4),
  };
}
