/** A user's own cell with two products, the second of what the first gives, read in both directions; classes and Adam. */
export const TAGGER = `
cell Minimal(D, H) {
  state h: [H]
  in  x: [D]
  param W.{f, n}: [H, D], U.{f, n}: [H, H], b.f: [H]
  f  = sigmoid(W.f@x + U.f@h + b.f)
  h' = (1 - f) * h + f * tanh(W.n@x + U.n@(f * h))
  out h'
}
model Tagger(D, H, C) {
  time T
  in  x: [T, D]
  use there = Minimal(D, H), back = Minimal(D, H), head = Linear(2*H, C)
  a = scan there over x
  b = scan back over x reverse
  emit y: tok(C)[T] ~ categorical(head(concat(a, b)))
}
train fit of Tagger {
  data     x, y = csv("rows.csv")
  minimize nll(y)
  optim    adam(0.01)
  for      10 steps
}`;
