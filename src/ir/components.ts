/**
 * Strongly connected components (Tarjan 1972, without recursion), each after the components that it depends on.
 * `dependencies(i)` lists the vertices that vertex i needs; vertices are 0 ... count-1.
 */
export function components(
  count: number,
  dependencies: (vertex: number) => readonly number[],
): readonly (readonly number[])[] {
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const open = new Uint8Array(count);
  const stack: number[] = [];
  const found: number[][] = [];
  let next = 0;

  const enter = (vertex: number): { vertex: number; edges: readonly number[]; at: number } => {
    order[vertex] = next;
    low[vertex] = next++;
    open[vertex] = 1;
    stack.push(vertex);
    return { vertex, edges: dependencies(vertex), at: 0 };
  };
  const leave = (vertex: number): void => {
    if (low[vertex] !== order[vertex]) return;
    const component = stack.splice(stack.lastIndexOf(vertex));
    for (const member of component) open[member] = 0;
    found.push(component.reverse());
  };

  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const edge = top.edges[top.at++];
      if (edge === undefined) {
        path.pop();
        leave(top.vertex);
        const parent = path.at(-1)?.vertex;
        if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[top.vertex] ?? 0);
      } else if (order[edge] === -1) {
        path.push(enter(edge));
      } else if (open[edge] === 1) {
        low[top.vertex] = Math.min(low[top.vertex] ?? 0, order[edge] ?? 0);
      }
    }
  }
  return found;
}
