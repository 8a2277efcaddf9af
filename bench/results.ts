import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** One full training of the documentation's table. */
interface Row {
  readonly file: string;
  readonly regime: string;
  /** The figure of the last line that `train` prints, and what it is; √ shows a mean square's root. */
  readonly figure: string;
  readonly what: string;
  readonly root?: true;
  /** Trivial or closed-form, of bench/baselines.ts, and another framework's or published. */
  readonly baseline?: string;
  readonly reference?: string;
}

const ROWS: readonly Row[] = [
  ...["lstm", "gru", "rnn", "whole"].map((regime, at) => ({
    ...{ file: "char_lm", regime, figure: "val.loss", what: "nats a character", baseline: "bigram 2.466" },
    reference: ["1.878", "1.769", "1.842", ""][at] ?? "",
  })),
  {
    ...{ file: "transformer_lm", regime: "lm", figure: "val.loss", what: "nats a character" },
    ...{ baseline: "bigram 2.466", reference: "LSTM 1.878" },
  },
  { file: "markov", regime: "bigram", figure: "val.loss", what: "nats a character", baseline: "counted 2.466" },
  { file: "ngram", regime: "trigram", figure: "val.loss", what: "nats a character", baseline: "counted 2.055" },
  { file: "hmm", regime: "hmm", figure: "val.loss", what: "nats a letter", baseline: "frequencies 2.836" },
  { file: "word2vec", regime: "vectors", figure: "loss", what: "loss", baseline: "6 ln 2 = 4.159" },
  {
    ...{ file: "births", regime: "births", figure: "test.mse_late", root: true, what: "births, a window's last day" },
    ...{ baseline: "same weekday 956, linear of 14 days 747", reference: "713" },
  },
  {
    ...{ file: "temporal_conv", regime: "forecast", figure: "test.mse_late", root: true, what: "births" },
    ...{ baseline: "same weekday 956", reference: "LSTM 713" },
  },
  {
    ...{ file: "wavenet", regime: "wavenet", figure: "test.mse_late", root: true, what: "births" },
    ...{ baseline: "linear of 63 days 650", reference: "LSTM 713" },
  },
  { file: "ar", regime: "ar", figure: "rmse(x)", what: "standard deviations", baseline: "1" },
  {
    ...{ file: "sp500", regime: "sp500", figure: "test.mse_late", root: true, what: "index points" },
    baseline: "persistence 32.2",
  },
  {
    ...{ file: "names", regime: "kind", figure: "val.accuracy(kind)", what: "accuracy" },
    ...{ baseline: "last letter 0.776", reference: "0.850" },
  },
  { file: "names", regime: "new", figure: "val.loss", what: "nats a letter" },
  {
    ...{ file: "temporal_conv", regime: "kind", figure: "val.accuracy(kind)", what: "accuracy" },
    ...{ baseline: "last letter 0.776", reference: "LSTM 0.850" },
  },
  {
    ...{ file: "sentiment", regime: "sentiment", figure: "val.accuracy(label)", what: "accuracy" },
    ...{ baseline: "naive Bayes 0.825", reference: "0.793" },
  },
  {
    ...{ file: "sentiment", regime: "elsewhere", figure: "test.accuracy(label)", what: "accuracy on another domain" },
    baseline: "0.5",
  },
  ...["plain", "chain"].map((regime) => ({
    ...{ file: "truecase", regime, figure: "test.f1(upper, of: 1)", what: "F1 of capitals" },
    ...{ baseline: "rule 0.702", reference: "0.778" },
  })),
  ...["g2p", "g2p_attention", "transformer_g2p"].flatMap((file, at) => [
    { file, regime: "g2p", figure: "test.per", what: "phone error", reference: ["0.192", "0.117", ""][at] ?? "" },
    { file, regime: "g2p", figure: "test.wer", what: "word error", reference: ["0.582", "0.453", ""][at] ?? "" },
  ]),
  ...["per", "wer"].map((figure, at) => ({
    ...{
      file: "g2p_attention",
      regime: "full",
      figure: `test.${figure}`,
      what: at === 0 ? "phone error" : "word error",
    },
    reference: at === 0 ? "" : "published, another split: 0.236 to 0.258",
  })),
  { file: "translate", regime: "nmt", figure: "test.bleu(tgt by beam(5))", what: "BLEU, beam of 5" },
  { file: "translate", regime: "nmt", figure: "test.greedy", what: "BLEU, greedy" },
  { file: "multitask", regime: "words", figure: "test.accuracy(phones)", what: "next phone" },
  { file: "multitask", regime: "words", figure: "test.accuracy(stress)", what: "stressed syllable" },
  { file: "multitask", regime: "words", figure: "test.rmse(count)", what: "syllables" },
  { file: "multitask", regime: "phones", figure: "test.accuracy(phones)", what: "next phone, alone" },
  { file: "multitask", regime: "stress", figure: "test.accuracy(stress)", what: "stressed syllable, alone" },
  { file: "multitask", regime: "count", figure: "test.rmse(count)", what: "syllables, alone" },
  ...["lstm", "gru"].map((cell) => ({
    ...{ file: "cells", regime: `adding_${cell}`, figure: "test.mse(total)", what: "squared error at T = 200" },
    baseline: "always 1: 0.167",
  })),
  { file: "cells", regime: "copying", figure: "test.accuracy(said)", what: "accuracy", baseline: "blanks 0.839" },
  { file: "cells", regime: "reber", figure: "test.kept", what: "accuracy of the kept letter", baseline: "0.5" },
  ...["tied", "untied"].map((regime) => ({
    ...{ file: "untied", regime, figure: "test.rmse(total)", what: "error at T = 20", baseline: "always 1: 0.408" },
  })),
  { file: "dtw", regime: "templates", figure: "test.accuracy(season)", what: "accuracy", baseline: "0.25" },
  {
    ...{ file: "autoencoder", regime: "tied", figure: "test.error", what: "squared error" },
    baseline: "principal components (of the training digits) 21.40",
  },
  { file: "autoencoder", regime: "deep", figure: "test.loss", what: "nats", reference: "82.3" },
  { file: "autoencoder", regime: "denoising", figure: "test.loss", what: "nats" },
  { file: "autoencoder", regime: "whole", figure: "test.loss", what: "nats, after both layers by themselves" },
  { file: "ppca", regime: "ppca", figure: "loss", what: "nats a patch", baseline: "closed form 9.263" },
  { file: "vae", regime: "vae", figure: "test.loss", what: "nats", reference: "114.8" },
  { file: "conditional_vae", regime: "cvae", figure: "test.loss", what: "nats" },
  {
    ...{ file: "pixel_rnn", regime: "pixels", figure: "test.loss", what: "nats an image" },
    baseline: "single pixels 49.55, logistic regressions 33.91",
  },
  {
    ...{ file: "cyclegan", regime: "cycle", figure: "test.error", what: "error of held-out pairs" },
    baseline: "identity 1.735",
  },
  { file: "caption", regime: "caption", figure: "test.exact(name by best)", what: "whole names", baseline: "0.114" },
  { file: "transfer", regime: "target", figure: "test.accuracy(y)", what: "accuracy, ten labels a digit" },
  { file: "transfer", regime: "scratch", figure: "test.accuracy(y)", what: "the same from nothing" },
  { file: "video_conv", regime: "video", figure: "test.accuracy(move)", what: "accuracy", baseline: "0.25" },
  { file: "alexnet", regime: "small", figure: "test.accuracy(label)", what: "accuracy", baseline: "0.114" },
  { file: "resnet50", regime: "small", figure: "test.accuracy(label)", what: "accuracy", baseline: "0.114" },
];

/**
 * `node bench/results.ts [--target NAME] [NAME ...]` trains every row, or those whose file or regime is named, and prints the table of
 * docs/results.md.
 */
function main(args: readonly string[]): void {
  const { values, positionals: names } = parseArgs({
    args: [...args],
    options: { target: { type: "string", default: "wasm" } },
    allowPositionals: true,
  });
  const wanted = ROWS.filter((row) => names.length === 0 || names.includes(row.regime) || names.includes(row.file));
  console.log("| command | figure | result | baseline | reference | seconds |\n|---|---|---|---|---|---|");
  const trained = new Map<string, Readonly<Record<string, unknown>>>();
  for (const row of wanted) {
    const key = `${row.file} ${row.regime}`;
    const result = trained.get(key) ?? train(row, values.target);
    trained.set(key, result);
    console.log(line(row, result));
  }
}

function train({ file, regime }: Row, target: string): Readonly<Record<string, unknown>> {
  const root = join(import.meta.dirname, "..");
  const out = mkdtempSync(join(tmpdir(), "seqc-results-"));
  const command = ["src/cli/main.ts", "train", `models/${file}.seq`, regime, "--target", target, "--out", out];
  const ran = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  rmSync(out, { recursive: true, force: true });
  if (ran.status !== 0) throw new Error(`seqc train models/${file}.seq ${regime} failed:\n${ran.stderr.slice(-2000)}`);
  return JSON.parse(ran.stdout.trim().split("\n").at(-1) ?? "{}");
}

function line(
  { file, regime, figure, what, root, baseline = "", reference = "" }: Row,
  result: Readonly<Record<string, unknown>>,
): string {
  const value = root ? Math.sqrt(Number(result[figure])) : Number(result[figure]);
  const shown = value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(2) : value.toFixed(3);
  const seconds = Number(result.seconds).toFixed(0);
  const name = root ? `√\`${figure}\`` : `\`${figure}\``;
  return `| \`seqc train models/${file}.seq ${regime}\` | ${what} (${name}) | ${shown} | ${baseline} | ${reference} | ${seconds} |`;
}

main(process.argv.slice(2));
