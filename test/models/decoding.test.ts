import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { isNode } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { evaluateSize } from "../../src/ir/size.ts";
import { scan } from "../../src/op/region.ts";
import type { EmitItem } from "../../src/syntax/tree.ts";
import { createChance } from "../support/chance.ts";
import { compileGenerationOf, openJob } from "../support/compile.ts";
import { feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { positionOf } from "../support/ragged.ts";
import { readArray } from "../support/read.ts";
import { buildSketch, isSmall, type Sketch, sketches } from "./sketches.ts";

const PROMPT = 4;

/** A model whose emissions have indices, so that one position is chosen after another. */
interface Decoded {
  readonly sketch: Sketch;
  readonly emissions: readonly EmitItem[];
  readonly forward: Program;
}

const decoded = sketches().flatMap((sketch): readonly Decoded[] => {
  const { program: forward } = buildSketch(sketch, true);
  const { modules } = openJob(sketch.text, { file: sketch.file });
  const items = modules.entry.definitions.get(sketch.model)?.items ?? [];
  const emissions = items.filter((item) => item.kind === "emit");
  const usable =
    forward !== undefined && isSmall(forward, sketch.sizes) && emissions.some((item) => item.indices.length > 0);
  return usable ? [{ sketch, emissions, forward }] : [];
});

describe("index by index the best is what the parallel pass thinks best", () => {
  for (const one of decoded) {
    test(one.sketch.name, () => {
      for (const prompt of [PROMPT, PROMPT + 1]) {
        const { program, arrays, choices } = decode(one, "best", prompt, 3);
        const forward = feed(one.forward, { ...arrays, ...choices }, { training: false });
        const results = interpret(one.forward.graph, forward.inputs, forward.sizes);
        for (const item of one.emissions) {
          const chosen = choices[item.name.text];
          if (chosen === undefined) continue;
          const best = bestOf(one.forward, item, (name) =>
            readArray(one.forward, results, `${item.name.text}.${name}`),
          );
          const given = arrays[`prompt.${item.name.text}`];
          let compared = 0;
          Array.from(chosen.data).forEach((value, place) => {
            const position = positionOf(chosen.shape, place);
            const [example = 0, first = 0] = position;
            if (given !== undefined && first < (arrays[`prompt.${item.name.text}.length`]?.data[example] ?? 0)) {
              expect(value).toBe(given.data[place]);
              return;
            }
            const at = position.map((index, axis) => index - (axis === 0 ? 0 : (item.indices[axis - 1]?.offset ?? 0)));
            if (at.some((index) => index < 0)) return;
            compared++;
            expect(value, `${item.name.text} at ${position.join(", ")}`).toBeCloseTo(best(at), 9);
          });
          expect(compared, "positions compared").toBeGreaterThan(0);
        }
        expect(program.results.size).toBeGreaterThan(0);
      }
    });
  }
});

describe("sampling", () => {
  const tokens = decoded.filter(({ forward, emissions }) => emissions.every((item) => isToken(forward, item)));
  for (const one of tokens) {
    test(`${one.sketch.name} at temperature 0, or of the best alone, is the best`, () => {
      const best = decode(one, "best", PROMPT, 3).choices;
      for (const method of ["sample(temperature: 0)", "sample(temperature: 1e-9)", "sample(top_k: 1)"]) {
        expect(decode(one, method, PROMPT, 3).choices, method).toEqual(best);
      }
    });
  }
  for (const one of decoded) {
    if (!canSample(one)) continue;
    test(`${one.sketch.name} depends on the seed alone`, () => {
      const first = decode(one, "sample", PROMPT, 3).choices;
      expect(decode(one, "sample", PROMPT, 3).choices).toEqual(first);
      expect(decode(one, "sample", PROMPT, 4).choices).not.toEqual(first);
    });
  }
});

describe("a decoder keeps what it computed", () => {
  const kept: Readonly<Record<string, readonly [carries: number, caches: number]>> = {
    "markov Bigram": [1, 0],
    "char_lm CharLM": [3, 0],
    "g2p G2P": [3, 0],
    "g2p_attention G2P": [3, 0],
    "translate Translate": [5, 0],
    "transformer_lm TransformerLM": [9, 4],
    "transformer_g2p G2P": [3, 2],
  };
  for (const one of decoded) {
    const counts = kept[one.sketch.name];
    if (counts === undefined) continue;
    test(one.sketch.name, () => {
      const [carries, caches] = counts;
      const { program } = decode(one, "best", PROMPT, 3);
      const loop = choosingLoop(program.graph, one.emissions[0]?.name.text ?? "");
      const { body, consts } = loop.attributes;
      const states = body.params.slice(consts, consts + loop.attributes.carries);
      expect(states.length).toBe(carries);
      expect(states.filter(({ type }) => type.axes.some((axis) => axis.size.text.startsWith("T["))).length).toBe(
        caches,
      );
      // Keys and values of earlier positions are read, never made again: no product of a weight has a past.
      const weights = new Set(body.params.slice(0, consts).map(({ id }) => id));
      const again = body.nodes.filter(
        (node) =>
          node.op.form === "contract" &&
          node.inputs.some((input) => weights.has(input)) &&
          node.outputs.some(({ type }) => type.axes.some((axis) => axis.size.text.startsWith("T["))),
      );
      expect(again.map((node) => node.outputs[0]?.id)).toEqual([]);
    });
  }
  test("all of them were looked at", () => {
    expect(Object.keys(kept).filter((name) => !decoded.some(({ sketch }) => sketch.name === name))).toEqual([]);
  });
});

/** The scan in which an emission is chosen. */
function choosingLoop(graph: Graph, emission: string) {
  const loops = graph.nodes.filter((node) => isNode(node, scan));
  const chosen = graph.results.find(({ name }) => name === `choice.${emission}`)?.id ?? "";
  const found = loops.find((node) =>
    reaches(
      graph,
      chosen,
      node.outputs.map(({ id }) => id),
    ),
  );
  if (!isNode(found, scan)) throw new Error("the decoder has no loop");
  return found;
}

/** Whether a value is one of some, perhaps laid out anew. */
function reaches(graph: Graph, id: string, wanted: readonly string[]): boolean {
  if (wanted.includes(id)) return true;
  const node = graph.nodes.find((candidate) => candidate.outputs.some((output) => output.id === id));
  return node !== undefined && node.op.form === "move" && node.inputs.some((input) => reaches(graph, input, wanted));
}

function isToken(program: Program, item: EmitItem): boolean {
  return program.inputs.find((spec) => spec.name === item.name.text)?.vocabulary !== undefined;
}

function canSample({ emissions }: Decoded): boolean {
  return emissions.every(
    ({ dist }) => dist.kind === "call" && dist.callee.kind === "reference" && dist.callee.name !== "poisson",
  );
}

/** Runs the decoder with random weights and inputs, and a random prompt where there can be one. */
function decode(
  { sketch, emissions, forward }: Decoded,
  method: string,
  prompt: number,
  seed: number,
): {
  readonly program: Program;
  readonly arrays: Record<string, NamedArray>;
  readonly choices: Record<string, NamedArray>;
} {
  const given = forward.inputs.filter((spec) => !emissions.some((item) => item.name.text === spec.name));
  const clauses = [
    ...given.map(({ name }) => `${name} = 0`),
    ...emissions.map((item) => `${item.name.text} by ${method}`),
  ];
  const text = `${sketch.text}\ngenerate check of ${sketch.model} { ${clauses.join("\n")} }`;
  const { program } = compileGenerationOf(text, "check", { file: sketch.file, sizes: sketch.parameters, dense: true });
  const sizes: Readonly<Record<string, number>> = { ...sketch.sizes, T: 8 };
  const arrays = randomArrays(program, sizes, sketch.setting);
  const known = new Map([...program.sizes, ...Object.entries(sizes)]);
  for (const role of program.params.values()) {
    if (role.kind !== "prompt") continue;
    const spec = program.inputs.find((input) => input.name === role.emission);
    const shape = [sizes.B ?? 1, ...(spec?.shape ?? []).map((size) => evaluateSize(size, known) ?? 0)];
    const chance = createChance(11);
    const count = shape.reduce((product, size) => product * size, 1);
    const below = spec?.vocabulary === undefined ? undefined : (evaluateSize(spec.vocabulary, known) ?? 1);
    const draw = (): number => (below === undefined ? chance.between(-1, 1) : chance.below(below));
    arrays[`prompt.${role.emission}`] = { shape, data: Float64Array.from({ length: count }, draw) };
    arrays[`prompt.${role.emission}.length`] = { shape: [shape[0] ?? 1], data: [prompt, prompt - 1, prompt - 2] };
  }
  const { inputs, sizes: bound } = feed(program, arrays, { sizes, seed, training: false });
  const results = interpret(program.graph, inputs, bound);
  const choices: Record<string, NamedArray> = {};
  for (const { name } of emissions) {
    choices[name.text] = readArray(program, results, `choice.${name.text}`);
  }
  return { program, arrays, choices };
}

/** What an emission's distribution thinks best at a position, by the distribution's own definition. */
function bestOf(
  program: Program,
  item: EmitItem,
  parameter: (name: string) => NamedArray,
): (at: readonly number[]) => number {
  const name = item.dist.kind === "call" && item.dist.callee.kind === "reference" ? item.dist.callee.name : "";
  const one = (of: string): ((at: readonly number[]) => number) => {
    const { shape, data } = parameter(of);
    return (at) => data[shape.reduce((place, size, axis) => place * size + (at[axis] ?? 0), 0)] ?? Number.NaN;
  };
  switch (name) {
    case "categorical": {
      const logits = parameter("logits");
      const K = logits.shape.at(-1) ?? 1;
      return (at) => {
        const row = logits.shape.slice(0, -1).reduce((place, size, axis) => place * size + (at[axis] ?? 0), 0);
        const scores = Array.from(logits.data).slice(row * K, (row + 1) * K);
        return scores.indexOf(Math.max(...scores));
      };
    }
    case "normal":
      return one("mu");
    case "poisson":
      return one("rate");
    case "bernoulli": {
      const logit = one("logits");
      return (at) => (logit(at) > 0 ? 1 : 0);
    }
    default:
      throw new Error(`what is best of ${name} in ${program.name} is not known`);
  }
}
