/** A cell that no library has, so that nothing is made for one; a model with states, lengths, a training and a generation. */
export const CHARS = `
/// A gated unit with one gate.
cell MGU(D, H) {
  in    x: [D]
  state h: [H]
  param W.{f,g}: [H, D], U.{f,g}: [H, H], b.{f,g}: [H]
  f  = sigmoid(W.f @ x + U.f @ h + b.f)
  g  = tanh(W.g @ x + U.g @ (f * h) + b.g)
  h' = (1 - f) * h + f * g
  out h'
}

/// Characters, one after the other.
model Chars(V = 7, E = 3, H = 5) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, E), cell = MGU(E, H), head = Linear(H, V)
  y = scan cell over emb(ids)
  emit ids[t+1] ~ categorical(head(y[t]))
}

train chars of Chars {
  data     ids = chars("unread.txt")
  minimize nll(ids)
  optim    adam(0.01)
  batch    4
  for      10 steps
}

generate text of Chars {
  ids by sample(temperature: 0.8)
}
`;
