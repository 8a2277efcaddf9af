import type { Workload } from "./side.ts";
import { autoencoderWorkload } from "./workloads/autoencoder.ts";
import { compileWorkload } from "./workloads/compile.ts";
import { productWorkload } from "./workloads/product.ts";
import {
  forwardWorkload,
  ladderWorkload,
  longWorkload,
  trainingWorkload,
  warmUpWorkload,
} from "./workloads/sequence.ts";
import { streamWorkload } from "./workloads/stream.ts";

const lstm = { cell: "lstm", batch: 32, steps: 50, inputs: 64, hidden: 128, classes: 64 } as const;
const gru = { ...lstm, cell: "gru", steps: 100 } as const;
const both = { ...lstm, cell: "both", steps: 100 } as const;
const long = { ...lstm, batch: 4, inputs: 16, hidden: 32 } as const;

/** All that is measured, and what each must reach. */
export const WORKLOADS: readonly Workload[] = [
  trainingWorkload(
    "lstm",
    lstm,
    ["tfjs-layers wasm", "tfjs-layers cpu", "jax-js wasm", "jax-js gradient"],
    [
      { kind: "faster", side: "tfjs-layers wasm", atLeast: 24 },
      { kind: "faster", side: "jax-js gradient", atLeast: 3.6 },
      { kind: "peak", atLeast: 0.8 },
      { kind: "loss", side: "seqc plain", atMost: 1.2 },
      { kind: "gain", side: "seqc wide", atLeast: 1.25 },
    ],
    ["seqc plain", "seqc threads", "seqc wide"],
  ),
  trainingWorkload("lstm-64", { ...lstm, batch: 64, steps: 100, hidden: 64 }, ["tfjs-layers wasm", "jax-js wasm"], []),
  trainingWorkload(
    "lstm-256",
    { ...lstm, batch: 64, steps: 128, hidden: 256 },
    ["tfjs-layers wasm", "jax-js wasm"],
    [
      { kind: "peak", atLeast: 0.84 },
      { kind: "loss", side: "seqc plain", atMost: 1.2 },
      { kind: "gain", side: "seqc threads", atLeast: 1.8 },
    ],
    ["seqc plain", "seqc threads", "seqc wide"],
  ),
  trainingWorkload(
    "lstm-small",
    { ...lstm, inputs: 8, hidden: 32 },
    ["tfjs-layers wasm", "tfjs-layers cpu", "jax-js wasm"],
    [{ kind: "peak", atLeast: 0.6 }],
  ),
  trainingWorkload("gru", gru, ["tfjs-layers wasm", "jax-js wasm"], []),
  trainingWorkload("bidirectional", both, ["tfjs-layers wasm", "jax-js wasm"], []),
  trainingWorkload(
    "user-cell",
    { ...lstm, cell: "mgu" },
    ["tfjs-layers wasm", "jax-js wasm"],
    [{ kind: "like", workload: "lstm", atLeast: 0.9 }],
  ),
  ladderWorkload("ladder", lstm, "wasm"),
  ladderWorkload("ladder-tfjs", lstm, "tfjs-wasm"),
  forwardWorkload("lstm-forward", lstm),
  forwardWorkload("gru-forward", gru),
  forwardWorkload("bidirectional-forward", both),
  streamWorkload("stream", { ...lstm, batch: 1, steps: 1000 }, [
    { kind: "time", atMost: 0.005 },
    { kind: "faster", side: "onnxruntime", atLeast: 1 },
  ]),
  autoencoderWorkload("autoencoder", 128),
  ...[64, 128, 256, 512, 1024].map((size) =>
    productWorkload(`product-${size}`, size, size === 512 ? [{ kind: "faster", side: "tfjs wasm", atLeast: 1.4 }] : []),
  ),
  compileWorkload("compile-10", { ...lstm, batch: 1, steps: 10 }, [{ kind: "time", atMost: 100 }]),
  compileWorkload("compile-100", { ...lstm, batch: 1, steps: 100 }, [{ kind: "time", atMost: 100 }]),
  compileWorkload("compile-1000", { ...lstm, batch: 1, steps: 1000 }, [
    { kind: "time", atMost: 100 },
    { kind: "growth", workload: "compile-10", atMost: 1.2 },
  ]),
  warmUpWorkload("third-call", "lstm", lstm),
  trainingWorkload("steps-1000", { ...long, steps: 1000 }, ["tfjs-layers wasm"], []),
  longWorkload("steps-10000", { ...long, steps: 10_000 }, [
    { kind: "growth", workload: "steps-1000", atMost: 12 },
    { kind: "loss", side: "seqc lean", atMost: 1.4 },
  ]),
];
