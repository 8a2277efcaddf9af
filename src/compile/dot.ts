import type { Picture, PictureKind } from "./picture.ts";

/** How Graphviz draws each kind of node. */
const SHAPES: Readonly<Record<PictureKind, string>> = {
  input: 'shape=oval, fillcolor="#dbeafe"',
  weights: 'shape=box, fillcolor="#fef3c7"',
  random: 'shape=diamond, fillcolor="#fce7f3"',
  state: 'shape=oval, style="filled,dashed", fillcolor="#e0e7ff"',
  equation: 'shape=box, style="filled,rounded", fillcolor="#ffffff"',
  output: 'shape=box, style="filled,rounded,bold", fillcolor="#dcfce7"',
};

/** The longest line in a node, in characters. */
const WIDTH = 42;

/** A picture in the language of Graphviz. Dashed edges read other positions, or the value before the step. */
export function dotOf({ name, nodes, edges }: Picture): string {
  const lines = [
    `digraph ${quoted(name)} {`,
    '  graph [rankdir=TB, nodesep=0.25, ranksep=0.35, bgcolor="transparent"]',
    '  node [fontname="monospace", fontsize=11, style=filled, color="#475569", margin="0.12,0.06"]',
    '  edge [color="#475569", arrowsize=0.7]',
    ...nodes.map(({ id, kind, text }) => `  ${quoted(id)} [label=${quoted(wrapped(text))}, ${SHAPES[kind]}]`),
    ...edges.map(({ from, to, delayed }) => `  ${quoted(from)} -> ${quoted(to)}${delayed ? " [style=dashed]" : ""}`),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

/** A text as a string of the language. */
export function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\l")}"`;
}

/** Broken at spaces; each line is set to the left. */
function wrapped(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.length === 1 ? line : `${lines.join("\n")}\n`;
}
