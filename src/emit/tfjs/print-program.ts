import type { Origin } from "../../ir/graph.ts";
import { callCount } from "../../target/tfjs/nest.ts";
import {
  type CodeOrigin,
  type Define,
  type Loop,
  list,
  type Statement,
  type TensorProgram,
  TF_DTYPE,
  variable,
} from "../../target/tfjs/program.ts";
import { inLine } from "../comment.ts";
import { printExpression, printSize } from "./print-expression.ts";

/** The text of the user's equation, where it is known. */
export type EquationText = (origin: Origin) => string | undefined;

/** The statements of a lowered program, above each equation's the equation. */
export function printStatements(program: TensorProgram, equation: EquationText, indent: number): readonly string[] {
  return printBlock(program.statements, { equation, seen: new Set(), outermost: true }, indent);
}

interface PrintContext {
  readonly equation: EquationText;
  /** Equations that were printed whole already. */
  readonly seen: Set<string>;
  /** Steps of a loop free their own temporary tensors; the outermost statements must. */
  readonly outermost: boolean;
}

function printBlock(statements: readonly Statement[], context: PrintContext, indent: number): readonly string[] {
  const lines: string[] = [];
  let current: string | undefined;
  for (const statement of statements) {
    const origin = statement.kind === "dispose" ? undefined : statement.origin;
    const title = origin === undefined ? undefined : `${origin.gradient ? "gradient of " : ""}${origin.name}`;
    if (origin !== undefined && title !== undefined && title !== current && statement.kind === "define") {
      lines.push(printComment(origin, title, context, indent));
      current = title;
    }
    if (statement.kind === "loop") current = undefined;
    lines.push(...printStatement(statement, context, indent));
  }
  return lines;
}

/** The first time the whole equation, then its name only. */
function printComment(origin: CodeOrigin, title: string, { equation, seen }: PrintContext, indent: number): string {
  const pad = " ".repeat(indent);
  const text = seen.has(title) || origin.gradient ? undefined : equation(origin);
  seen.add(title);
  if (text === undefined) return `${pad}// ${title}`;
  const owner = origin.name.includes(".") ? `${origin.name.slice(0, origin.name.lastIndexOf("."))}: ` : "";
  return `${pad}// ${owner}${inLine(text).replace(/\s+/g, " ").trim()}`;
}

function printStatement(statement: Statement, context: PrintContext, indent: number): readonly string[] {
  switch (statement.kind) {
    case "define":
      return [printDefine(statement, context, indent)];
    case "loop":
      return printLoop(statement, context, indent);
    case "dispose":
      return [printDispose(statement.names, indent)];
    default:
      return statement satisfies never;
  }
}

function printDefine({ name, value }: Define, { outermost }: PrintContext, indent: number): string {
  const isNested = outermost && callCount(value) > 1;
  const start = `${" ".repeat(indent)}const ${name} = ${isNested ? "tf.tidy(() => " : ""}`;
  return `${start}${printExpression(value, indent, start.length + 2)}${isNested ? ")" : ""};`;
}

function printDispose(names: readonly string[], indent: number): string {
  const start = `${" ".repeat(indent)}tf.dispose(`;
  return `${start}${printExpression(list(names.map(variable)), indent, start.length + 2)});`;
}

function printLoop(loop: Loop, context: PrintContext, indent: number): readonly string[] {
  const pad = " ".repeat(indent);
  const length = printSize(loop.length);
  const { index } = loop;
  const head = loop.reverse
    ? `let ${index} = ${length} - 1; ${index} >= 0; ${index}--`
    : `let ${index} = 0; ${index} < ${length}; ${index}++`;
  const given = [
    ...loop.carries.map((carry) => [carry.name, carry.next] as const),
    ...loop.collected.map((one) => [one.steps, one.value] as const),
  ];
  const fields = given.map(([name, value]) => {
    const text = printExpression(value, indent + 6, indent + 8 + name.length);
    return `${pad}      ${text === name ? name : `${name}: ${text}`},`;
  });
  return [
    ...loop.carries.map(
      (carry) =>
        `${pad}let ${carry.name}: tf.Tensor = ${printExpression(carry.start, indent, indent + carry.name.length + 20)};`,
    ),
    ...loop.collected.map((one) => `${pad}const ${one.steps} = new Array<tf.Tensor>(${length});`),
    `${pad}for (${head}) {`,
    `${pad}  const step = tf.tidy(() => {`,
    ...printBlock(loop.body, { ...context, outermost: false }, indent + 4),
    `${pad}    return {`,
    ...fields,
    `${pad}    };`,
    `${pad}  });`,
    ...(loop.carries.length > 0
      ? [
          printDispose(
            loop.carries.map((carry) => carry.name),
            indent + 2,
          ),
        ]
      : []),
    ...loop.carries.map((carry) => `${pad}  ${carry.name} = step.${carry.name};`),
    ...loop.collected.map((one) => `${pad}  ${one.steps}[${index}] = step.${one.steps};`),
    `${pad}}`,
    ...loop.collected.map((one) => {
      const type = one.dtype === "float" ? "" : `, "${TF_DTYPE[one.dtype]}"`;
      return `${pad}const ${one.name} = stack(${one.steps}, ${printExpression(one.shape, indent)}${type});`;
    }),
  ];
}
