/** Lines over steps, on a logarithmic scale. */
export interface Chart {
  readonly title: string;
  /** Under the steps. */
  readonly across: string;
  /** Beside the scale. */
  readonly up: string;
  readonly lines: readonly ChartLine[];
}

export interface ChartLine {
  readonly name: string;
  /** One a step. What is not above 0, or not finite, is left out. */
  readonly values: readonly number[];
  readonly isDashed: boolean;
}

const FRAME = { left: 74, top: 34, height: 260, bottom: 46 };
const PLOT = 500;
const LEGEND = { gap: 16, stroke: 22, letter: 7 };

/** Told apart by all kinds of colour vision (Okabe & Ito 2008). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/** Charts under each other, as one SVG picture. */
export function lineCharts(charts: readonly Chart[]): string {
  const names = charts.flatMap(({ lines }) => lines.map(({ name }) => name.length));
  const text = LEGEND.gap + LEGEND.stroke + LEGEND.letter * Math.max(0, ...names);
  const width = FRAME.left + PLOT + text + 2 * LEGEND.letter;
  const each = FRAME.top + FRAME.height + FRAME.bottom;
  const height = each * charts.length;
  const parts = charts.map((chart, place) => `<g transform="translate(0 ${each * place})">\n${drawn(chart)}\n</g>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#1e293b">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function drawn(chart: Chart): string {
  const steps = Math.max(1, ...chart.lines.map(({ values }) => values.length));
  const exponents = chart.lines.flatMap(({ values }) => values.filter(isShown).map((value) => Math.log10(value)));
  const low = Math.floor(exponents.reduce((least, one) => Math.min(least, one), 0));
  const high = Math.max(low + 1, Math.ceil(exponents.reduce((most, one) => Math.max(most, one), low)));
  const x = (step: number): number => FRAME.left + (PLOT * step) / Math.max(1, steps - 1);
  const y = (exponent: number): number => FRAME.top + (FRAME.height * (high - exponent)) / (high - low);
  const bottom = FRAME.top + FRAME.height;
  const decades = ticks(low, high, 8).map((exponent) => {
    const at = shown(y(exponent));
    return `<path d="M${FRAME.left} ${at}h${PLOT}" stroke="#e2e8f0"/><text x="${FRAME.left - 8}" y="${at}" dy="4" text-anchor="end">10<tspan dy="-5" font-size="9">${exponent}</tspan></text>`;
  });
  const positions = ticks(0, steps - 1, 10).map(
    (step) =>
      `<path d="M${shown(x(step))} ${bottom}v5" stroke="#64748b"/><text x="${shown(x(step))}" y="${bottom + 18}" text-anchor="middle">${step}</text>`,
  );
  return [
    `<text x="${FRAME.left}" y="20" font-weight="bold">${escaped(chart.title)}</text>`,
    ...decades,
    ...positions,
    `<path d="M${FRAME.left} ${FRAME.top}v${FRAME.height}h${PLOT}" fill="none" stroke="#64748b"/>`,
    `<text x="${FRAME.left + PLOT / 2}" y="${bottom + 36}" text-anchor="middle">${escaped(chart.across)}</text>`,
    `<text transform="translate(18 ${FRAME.top + FRAME.height / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.up)}</text>`,
    ...chart.lines.map((line, place) => lineOf(line, place, x, y)),
  ].join("\n");
}

function lineOf(
  { name, values, isDashed }: ChartLine,
  place: number,
  x: (step: number) => number,
  y: (exponent: number) => number,
): string {
  const stroke = `stroke="${COLOURS[place % COLOURS.length]}" stroke-width="2"${isDashed || place >= COLOURS.length ? ' stroke-dasharray="6 4"' : ""}`;
  const points = values.map((value, step) =>
    isShown(value) ? `${shown(x(step))} ${shown(y(Math.log10(value)))}` : "",
  );
  // A line is broken where it has no value; a single point is a dot.
  const runs = points
    .join(",")
    .split(/,{2,}|^,|,$/)
    .filter((run) => run !== "");
  const drawnRuns = runs.map((run) => `M${run.includes(",") ? run.split(",").join("L") : `${run}h0.01`}`).join("");
  const legend = FRAME.top + 10 + 18 * place;
  const left = FRAME.left + PLOT + LEGEND.gap;
  return [
    `<path d="${drawnRuns}" fill="none" ${stroke} stroke-linecap="round"><title>${escaped(name)}</title></path>`,
    `<path d="M${left} ${legend}h${LEGEND.stroke}" ${stroke}/><text x="${left + LEGEND.stroke + 6}" y="${legend + 4}">${escaped(name)}</text>`,
  ].join("\n");
}

function isShown(value: number): boolean {
  return value > 0 && value < Number.POSITIVE_INFINITY;
}

/** Round numbers from one to the other, `most` at most. */
function ticks(low: number, high: number, most: number): readonly number[] {
  const rough = (high - low) / most;
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(rough, 1))));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((one) => one >= rough) ?? unit;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, place) => first + place * step);
}

function shown(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
