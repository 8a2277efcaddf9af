import fc from "fast-check";
import { CONTEXTUAL } from "../../grammar/tokens.ts";
import type {
  AxisExpression,
  Declaration,
  Expression,
  File,
  GenerateClause,
  Index,
  Item,
  Mapping,
  Name,
  TrainClause,
  TypeExpression,
} from "../../src/syntax/tree.ts";

/*
 * Random trees, as reading could have made them: whatever is drawn here prints, and reads back as it was.
 * Names are also drawn from the keywords; `and`, `or`, `not` and `by` before an operand are operators, so they are no names here.
 */

const span = { file: "", start: 0, end: 0 };
const words = CONTEXTUAL.filter((word) => !["and", "or", "not", "by"].includes(word));
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("x", "h", "W", "T", "long_name", "H2", "_", "T1") },
  { weight: 1, arbitrary: fc.constantFrom(...words) },
);
const nameNode: fc.Arbitrary<Name> = name.map((text) => ({ span, text }));
const names = fc.array(nameNode, { minLength: 1, maxLength: 3 });

const numberTexts = ["0", "1", "2", "10_000", "1e-3", "0.5", "1.25e+2", "007"];
const number = fc
  .constantFrom(...numberTexts)
  .map((text): Expression => ({ kind: "number", span, value: Number(text.replaceAll("_", "")), text }));
const characters = fc.constantFrom("a", " ", '"', "\\", "\n", "\t", "'", "é", "//", "{", "😀", "n");
const text = fc.array(characters, { maxLength: 6 }).map((parts) => parts.join(""));
const textNode = text.map((value) => ({ kind: "string" as const, span, value }));
const reference = fc
  .tuple(name, fc.boolean())
  .map(([each, primed]): Expression => ({ kind: "reference", span, name: each, primed }));

const binaryOperators = ["+", "-", "*", "/", "%", "**", "@", "==", "!=", "<", "<=", ">", ">=", "and", "or"] as const;

export const { expression, chosen } = fc.letrec<{ expression: Expression; chosen: Expression }>((tie) => {
  const inner = tie("expression");
  const list = fc.array(inner, { maxLength: 3 });
  const optional = fc.option(inner, { nil: undefined });
  const node = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record(fields).map((made) => ({ ...made, span }));
  const argument = node<{ name: Name | undefined; value: Expression }>({
    name: fc.option(nameNode, { nil: undefined }),
    value: tie("chosen"),
  });
  const at = node({ kind: fc.constant("at" as const), value: inner });
  const slice = node({ kind: fc.constant("slice" as const), from: optional, to: optional });
  const compound: fc.Arbitrary<Expression>[] = [
    node({ kind: fc.constant("member" as const), object: inner, names }),
    node({ kind: fc.constant("call" as const), callee: inner, axes: list, args: fc.array(argument, { maxLength: 3 }) }),
    node({
      kind: fc.constant("index" as const),
      object: inner,
      subscripts: fc.array(fc.oneof(at, slice), { minLength: 1, maxLength: 2 }),
    }),
    node({
      kind: fc.constant("unary" as const),
      operator: fc.constantFrom("-" as const, "not" as const),
      operand: inner,
    }),
    node({
      kind: fc.constant("binary" as const),
      operator: fc.constantFrom(...binaryOperators),
      operatorSpan: fc.constant(span),
      left: inner,
      right: inner,
    }),
    node({ kind: fc.constant("else" as const), value: inner, otherwise: inner }),
    node({ kind: fc.constant("list" as const), items: list }),
    node({ kind: fc.constant("tuple" as const), items: fc.array(inner, { minLength: 1, maxLength: 3 }) }),
    node({ kind: fc.constant("scan" as const), cell: inner, over: inner, from: optional, reverse: fc.boolean() }),
  ];
  return {
    expression: fc.oneof({ depthSize: "small", withCrossShrink: true }, reference, number, textNode, ...compound),
    chosen: fc.oneof(
      { weight: 4, arbitrary: inner },
      { weight: 1, arbitrary: node({ kind: fc.constant("by" as const), value: inner, method: inner }) },
    ),
  };
});

const optionalExpression = fc.option(expression, { nil: undefined });

const axis: fc.Arbitrary<AxisExpression> = fc.record({
  span: fc.constant(span),
  label: fc.option(nameNode, { nil: undefined }),
  size: expression,
});
const axes = fc.array(axis, { maxLength: 3 });
const type: fc.Arbitrary<TypeExpression> = fc.oneof(
  axes.map((each): TypeExpression => ({ span, base: "float", vocabulary: undefined, axes: each })),
  fc
    .option(axes, { nil: undefined })
    .map((each): TypeExpression => ({ span, base: "bool", vocabulary: undefined, axes: each })),
  fc
    .tuple(expression, fc.option(axes, { nil: undefined }))
    .map(([vocabulary, each]): TypeExpression => ({ span, base: "tok", vocabulary, axes: each })),
);
const index: fc.Arbitrary<Index> = fc
  .tuple(nameNode, optionalExpression, fc.integer({ min: -3, max: 3 }))
  .map(([each, range, offset]) => ({ span, name: each, range, offset: range === undefined ? offset : 0 }));
const indices = fc.array(index, { maxLength: 2 });

const here = { span: fc.constant(span) };
const typed = { ...here, name: nameNode, type };
const drawn = { ...typed, indices, dist: expression };
const some = <T>(element: fc.Arbitrary<T>) => fc.array(element, { minLength: 1, maxLength: 2 });
const kind = <K extends string>(value: K) => fc.constant(value);
/** A dotted name, as in `emb.W`. */
const path = fc.tuple(nameNode, fc.array(names, { maxLength: 2 })).map(([first, members]) =>
  members.reduce<Expression>((object, each) => ({ kind: "member", span, object, names: each }), {
    kind: "reference",
    span,
    name: first.text,
    primed: false,
  }),
);

const mapping: fc.Arbitrary<Mapping> = fc.record({
  ...here,
  kind: kind("mapping"),
  source: some(textNode).map(
    (texts) =>
      texts.reduce<Expression | undefined>(
        (left, right) =>
          left === undefined ? right : { kind: "binary", span, operatorSpan: span, operator: "+", left, right },
        undefined,
      )!,
  ),
  targets: some(path),
});

const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({ ...here, kind: kind("time"), names }),
  fc.record({ ...here, kind: kind("in"), names: some(fc.record({ ...typed, default: optionalExpression })) }),
  fc.record({ ...here, kind: kind("of"), names: some(fc.record(typed)) }),
  fc.record({ ...here, kind: kind("state"), names: some(fc.record({ ...typed, start: optionalExpression })) }),
  fc.record({
    ...here,
    kind: kind("param"),
    declarators: some(fc.record({ ...typed, members: fc.option(names, { nil: undefined }), init: optionalExpression })),
  }),
  fc.record({ ...here, kind: kind("noise"), names: some(fc.record({ ...drawn, prior: kind(undefined as never) })) }),
  fc.record({ ...here, kind: kind("latent"), names: some(fc.record({ ...drawn, prior: optionalExpression })) }),
  fc.record({
    ...here,
    kind: kind("use"),
    uses: some(
      fc.record({
        ...here,
        name: nameNode,
        repeat: fc.option(
          fc.record({
            ...here,
            share: fc.boolean(),
            index: fc.option(nameNode, { nil: undefined }),
            count: expression,
          }),
          { nil: undefined },
        ),
        of: expression,
      }),
    ),
  }),
  fc.record({ ...here, kind: kind("tie"), left: path, right: path }),
  fc.record({
    ...here,
    kind: kind("equation"),
    targets: some(fc.record({ ...here, name: nameNode, primed: fc.boolean(), indices })),
    value: expression,
    doc: kind(undefined as never),
  }),
  fc.record({
    ...here,
    kind: kind("emit"),
    name: nameNode,
    indices,
    type: fc.option(type, { nil: undefined }),
    dist: expression,
    until: optionalExpression,
  }),
  fc.record({ ...here, kind: kind("out"), values: some(expression) }),
  mapping,
);

const source = { ...here, kind: kind("data"), names, reader: expression, where: optionalExpression };
const unit = fc.constantFrom("epochs" as const, "steps" as const);
const part = path;
const clause: fc.Arbitrary<TrainClause> = fc.oneof(
  fc.record(source),
  fc.record({
    ...here,
    kind: kind("split"),
    role: fc.constantFrom("val" as const, "test" as const),
    rule: fc.oneof(
      fc.record({
        kind: kind("share"),
        from: fc.constantFrom("last" as const, "random" as const),
        amount: expression,
        unit: fc.constantFrom("percent" as const, "rows" as const),
      }),
      fc.record({ kind: kind("own"), data: fc.record(source) }),
    ),
  }),
  fc.record({
    ...here,
    kind: kind("objective"),
    direction: fc.constantFrom("minimize" as const, "maximize" as const),
    value: expression,
    on: fc.array(part, { maxLength: 2 }),
    every: optionalExpression,
  }),
  fc.record({ ...here, kind: kind("bptt"), length: expression }),
  fc.record({ ...here, kind: kind("optim"), optimizer: expression, on: fc.array(part, { maxLength: 2 }) }),
  fc.record({ ...here, kind: kind("clip"), rule: expression }),
  fc.record({
    ...here,
    kind: kind("batch"),
    size: expression,
    unit: fc.constantFrom("examples" as const, "tokens" as const),
  }),
  fc.record({ ...here, kind: kind("for"), count: expression, unit }),
  fc.record({
    ...here,
    kind: kind("report"),
    metrics: some(fc.record({ ...here, name: fc.option(nameNode, { nil: undefined }), value: chosen })),
  }),
  fc.record({ ...here, kind: kind("stop"), metric: part, patience: expression, unit }),
  fc.record({ ...here, kind: kind("save"), best: fc.option(part, { nil: undefined }), to: textNode }),
  fc.record({ ...here, kind: kind("seed"), value: expression }),
  fc
    .record({
      ...here,
      kind: kind("load"),
      part: fc.option(part, { nil: undefined }),
      from: fc.oneof(nameNode, textNode),
      layout: fc.option(part, { nil: undefined }),
      mapping: fc.array(mapping, { maxLength: 2 }),
    })
    .map((load) => (load.layout === undefined ? load : { ...load, mapping: [] })),
  fc.record({
    ...here,
    kind: kind("freeze"),
    parts: some(part),
    until: fc.option(fc.record({ count: expression, unit: fc.constantFrom("epoch" as const, "step" as const) }), {
      nil: undefined,
    }),
  }),
  fc.record({ ...here, kind: kind("teacher_forcing"), name: nameNode, schedule: expression }),
  fc.record({ ...here, kind: kind("copy"), from: part, to: part, every: expression, unit }),
);

/** A name to show: an option's word, followed by what could be its value, would be that option. */
const shown = nameNode.filter(({ text: each }) => !["prompt", "max", "count", "seed"].includes(each));
const generateClause: fc.Arbitrary<GenerateClause> = fc.oneof(
  fc.record({ ...here, kind: kind("set"), name: nameNode, value: expression }),
  fc.record({ ...here, kind: kind("show"), name: shown, method: optionalExpression }),
  fc.record({
    ...here,
    kind: kind("option"),
    option: fc.constantFrom("prompt" as const, "max" as const, "count" as const, "seed" as const),
    value: expression,
  }),
);

const doc = kind(undefined as never);
const declaration: fc.Arbitrary<Declaration> = fc.oneof(
  fc.record({
    ...here,
    kind: kind("import"),
    names: some(fc.record({ ...here, name: nameNode, as: fc.option(nameNode, { nil: undefined }) })),
    from: textNode,
  }),
  fc.record({
    ...here,
    kind: kind("definition"),
    definitionKind: fc.constantFrom(...(["cell", "layer", "dist", "model", "layout"] as const)),
    name: nameNode,
    parameters: fc.array(fc.record({ ...here, name: nameNode, default: optionalExpression }), { maxLength: 2 }),
    items: fc.array(item, { maxLength: 4 }),
    doc,
  }),
  fc.record({
    ...here,
    kind: kind("train"),
    name: nameNode,
    model: part,
    clauses: fc.array(clause, { maxLength: 4 }),
    doc,
  }),
  fc.record({
    ...here,
    kind: kind("generate"),
    name: nameNode,
    model: part,
    clauses: fc.array(generateClause, { maxLength: 3 }),
    doc,
  }),
  fc.record({
    ...here,
    kind: kind("expect"),
    value: chosen,
    unit: fc.option(fc.record({ ...here, name: fc.constantFrom("kB", "MB", "GB") }), { nil: undefined }),
    doc,
  }),
);

export const file: fc.Arbitrary<File> = fc
  .array(declaration, { minLength: 1, maxLength: 3 })
  .map((declarations) => ({ kind: "file", span, declarations, comments: [], unread: [] }));
