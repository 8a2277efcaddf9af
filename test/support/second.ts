import type { Program, ResultRole } from "../../src/build/program.ts";
import { gradients } from "../../src/grad/gradients.ts";
import { createBuilder } from "../../src/ir/builder.ts";
import { copyGraph } from "../../src/ir/copy.ts";
import * as make from "../../src/op/make.ts";
import * as sums from "../../src/op/make_sum.ts";

/**
 * Of an unscheduled program with gradients: one whose loss is the sum of their squares, with its gradients. Differentiating
 * those is differentiating twice.
 */
export function squaredGradients(draft: Program): Program {
  const builder = createBuilder(`${draft.graph.name}.squared`);
  const ids = copyGraph(builder, draft.graph);
  const idOf = (id: string): string => ids.get(id) ?? "";
  const first = draft.graph.results.flatMap(({ name, id }) => {
    const role = draft.results.get(name);
    return role?.kind === "gradient" ? [{ weight: role.weight, id: idOf(id) }] : [];
  });
  const squares = first.map(({ id }) => sums.sumOver(builder, make.mul(builder, id, id), builder.type(id).axes));
  const loss = squares.reduce((sum, square) => make.add(builder, sum, square));
  const params = new Map([...draft.params].map(([id, role]) => [idOf(id), role]));
  const wrt = first.map(
    ({ weight }) => [...params].find(([, role]) => role.kind === "weight" && role.name === weight)?.[0] ?? "",
  );
  const second = gradients(builder, loss, wrt);
  const results = new Map<string, ResultRole>([["loss", { kind: "loss" }]]);
  for (const { weight } of first) results.set(`gradient.${weight}`, { kind: "gradient", weight });
  const graph = builder.finish([
    { name: "loss", id: loss },
    ...first.map(({ weight }, place) => ({ name: `gradient.${weight}`, id: second[place] ?? "" })),
  ]);
  return { ...draft, graph, params, results };
}
