import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One full training of the documentation's table. */
interface Row {
  readonly file: string;
  readonly regime: string;
  /** The figure of the last line that `train` prints. */
  readonly figure: string;
  readonly what: string;
  readonly baseline: string;
  readonly reference: string;
}

const ROWS: readonly Row[] = [
  {
    file: "char_lm.seq",
    regime: "lstm",
    figure: "val.loss",
    what: "nats a character",
    baseline: "bigram 2.462",
    reference: "1.878",
  },
  {
    file: "char_lm.seq",
    regime: "gru",
    figure: "val.loss",
    what: "nats a character",
    baseline: "bigram 2.462",
    reference: "1.769",
  },
  {
    file: "char_lm.seq",
    regime: "rnn",
    figure: "val.loss",
    what: "nats a character",
    baseline: "bigram 2.462",
    reference: "1.842",
  },
  {
    file: "char_lm.seq",
    regime: "whole",
    figure: "val.loss",
    what: "nats a character",
    baseline: "bigram 2.462",
    reference: "",
  },
  {
    file: "names.seq",
    regime: "kind",
    figure: "val.accuracy(kind)",
    what: "accuracy",
    baseline: "last letter 0.776",
    reference: "0.850",
  },
  { file: "names.seq", regime: "new", figure: "val.loss", what: "nats a letter", baseline: "", reference: "" },
  {
    file: "births.seq",
    regime: "births",
    figure: "test.rmse(x)",
    what: "births a day",
    baseline: "same weekday 956",
    reference: "713",
  },
];

/** Trains every row, or those whose file or regime is named, and prints the table of docs/results.md. */
function main(names: readonly string[]): void {
  const wanted = ROWS.filter((row) => names.length === 0 || names.includes(row.regime) || names.includes(row.file));
  console.log(
    "| command | figure | result | trivial baseline | another framework | seconds |\n|---|---|---|---|---|---|",
  );
  for (const row of wanted) console.log(train(row));
}

function train({ file, regime, figure, what, baseline, reference }: Row): string {
  const root = join(import.meta.dirname, "..");
  const out = mkdtempSync(join(tmpdir(), "seqc-results-"));
  const command = ["src/cli/main.ts", "train", `models/${file}`, regime, "--out", out];
  const ran = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  rmSync(out, { recursive: true, force: true });
  if (ran.status !== 0) throw new Error(`seqc train models/${file} ${regime} failed:\n${ran.stderr.slice(-2000)}`);
  const result: Record<string, unknown> = JSON.parse(ran.stdout.trim().split("\n").at(-1) ?? "{}");
  const value = Number(result[figure]);
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(3);
  const seconds = Number(result.seconds).toFixed(0);
  return `| \`seqc train models/${file} ${regime}\` | ${what} (\`${figure}\`) | ${shown} | ${baseline} | ${reference} | ${seconds} |`;
}

main(process.argv.slice(2));
