import { checkpoint } from "./checkpoint.ts";
import { cse } from "./cse.ts";
import { dce } from "./dce.ts";
import { fold } from "./fold.ts";
import { hoist } from "./hoist.ts";
import { hoistTerms } from "./hoist-terms.ts";
import { mergeIntoLoop } from "./merge-into-loop.ts";
import { mergeProducts } from "./merge-products.ts";
import { packGates } from "./pack-gates.ts";
import { packMaps } from "./pack-maps.ts";
import { packOutputs } from "./pack-outputs.ts";
import type { Pass, PassName } from "./pass.ts";
import { previousState } from "./previous-state.ts";
import { sideBySide } from "./side-by-side.ts";
import { simplify } from "./simplify.ts";
import { sink } from "./sink.ts";
import { stagger } from "./stagger.ts";
import { unroll } from "./unroll.ts";

/** Every pass by its name. */
export const PASSES: Readonly<Record<PassName, Pass>> = {
  simplify,
  fold,
  cse,
  hoist,
  "hoist-terms": hoistTerms,
  dce,
  "previous-state": previousState,
  "side-by-side": sideBySide,
  stagger,
  "merge-into-loop": mergeIntoLoop,
  "merge-products": mergeProducts,
  "pack-gates": packGates,
  "pack-outputs": packOutputs,
  sink,
  "pack-maps": packMaps,
  checkpoint,
  unroll,
};

/** The order in which passes run; some run again where others leave work for them. */
export const PIPELINE: readonly { readonly pass: PassName; readonly why: string }[] = [
  { pass: "fold", why: "sizes that are known become numbers, which simplify looks for" },
  { pass: "simplify", why: "one form for each meaning, so that later passes see through less" },
  { pass: "cse", why: "passes count the readers of a value: equal values are one value first" },
  { pass: "previous-state", why: "the loop gives what shifting would copy; before dce, which drops the copies" },
  { pass: "hoist", why: "weights reach the products of a loop as consts, which merging and packing ask for" },
  { pass: "dce", why: "a value that nobody needs is no reader" },
  { pass: "side-by-side", why: "before packing, so that loops that share steps share products" },
  { pass: "stagger", why: "behind it, since loops side by side are one loop then; layers that are small stay apart" },
  { pass: "merge-into-loop", why: "takes hoisted products apart before they are packed" },
  {
    pass: "merge-products",
    why: "before packing: gates of merged products have one operand in common, and sums say in which order ys are packed",
  },
  { pass: "pack-gates", why: "one product a step" },
  { pass: "pack-outputs", why: "what packed weight gradients read is put together by the loop that makes it" },
  { pass: "sink", why: "parts of packed products and cheap values go to where they are read" },
  { pass: "pack-maps", why: "after sink, which brings the parts of two packed products together" },
  { pass: "hoist", why: "packed weights of inner loops leave the outer ones too" },
  {
    pass: "hoist-terms",
    why: "of the terms that merging has left in a loop; before it, it would hide hoisted products from merging",
  },
  { pass: "simplify", why: "what merging and packing cut and put together again" },
  { pass: "cse", why: "two loops may have asked for the same packed weight" },
  { pass: "dce", why: "ys and weights that packed ones stand for" },
  { pass: "checkpoint", why: "behind all that hoists and packs along the axis, so that it can divide it" },
  { pass: "dce", why: "of steps that are computed again only a part is read" },
  { pass: "unroll", why: "last: it would hide loops from all others, and makes as many copies as asked" },
];

/** The names of all passes, each once, in the order in which they first run. */
export const PASS_NAMES: readonly PassName[] = [...new Set(PIPELINE.map(({ pass }) => pass))];

/** Make one product of several. */
const JOINING: readonly PassName[] = ["merge-products", "pack-gates", "pack-outputs", "pack-maps"];

/** Those, and the one that takes products back into loops. */
export const PRODUCT_PASSES: ReadonlySet<PassName> = new Set<PassName>(["merge-into-loop", ...JOINING]);

/**
 * What each target usually leaves out. To join products pays where each op is a call of its own; targets that add products in place and lay
 * out weights themselves do as well without. To run layers beside one another pays where steps wait for one another, and nothing else.
 */
export const LEFT_OUT: Readonly<Record<"wasm" | "webgpu" | "tfjs", ReadonlySet<PassName>>> = {
  wasm: new Set<PassName>([...JOINING, "stagger"]),
  webgpu: PRODUCT_PASSES,
  tfjs: new Set<PassName>(["stagger"]),
};

/** What some target leaves out. */
export const OPTIONAL_PASSES: ReadonlySet<PassName> = new Set(Object.values(LEFT_OUT).flatMap((passes) => [...passes]));
