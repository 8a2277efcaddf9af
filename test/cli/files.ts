/** A character model that trains in a moment; recurrent, with dropout, a schedule and a chunked text. */
export const LM = `model LM(V, H = 4) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, H), cell = GRU(H, H), head = Linear(H, V)
  y = scan cell over dropout(emb(ids), p: 0.1)
  emit ids[t+1] ~ categorical(head(y[t]))
}

train lm of LM {
  data     ids = chars("text.txt")
  val      last 20%
  minimize nll(ids)
  bptt     4
  optim    adam(cosine(1e-2, warmup: 3))
  clip     norm(1.0)
  batch    4
  for      4 epochs
  report   bpc = nll(ids) / log(2), accuracy(ids)
  save     best val.accuracy to "runs/lm"
  seed     7
}

generate text of LM {
  ids by sample(temperature: 0.8)
  prompt "the "
  max 12
}

generate likely of LM {
  ids by best
  prompt "the "
  max 12
}
`;

export const TEXT = "the cat sat on the mat and the dog sat on the log. ".repeat(6);

/** \`y\` is normal around \`w\` times the sum of an example's own numbers: everything about it is known in closed form. */
export const SUM = `model Sum {
  time T
  in  x: [T]
  param w: [] init 0.5
  total = w * sum[T](x)
  emit y: [] ~ normal(total, 1)
}

train fit of Sum {
  data     x, y = jsonl("rows.jsonl")
  minimize nll(y)
  optim    sgd(0.01)
  batch    2
  for      5 epochs
  report   rmse(y)
}

generate forecast of Sum {
  x = [1, 2, 3]
  y by best
  total
}
`;

export const ROWS = `{"x": [1, 2, 3], "y": 3}
{"x": [1], "y": 0.5}
{"x": [2, 2], "y": 2.5}
{"x": [0.5, 1, 0.5], "y": 1}
`;

/** Tags every token of a sequence of its own length. */
export const TAGGER = `model Tagger(V, K, E = 3, H = 4) {
  time T
  in  words: tok(V)[T]
  use emb = Embed(V, E), fwd = GRU(E, H), bwd = LSTM(E, H), proj = Linear(2*H, K)
  x = emb(words)
  y, s = scan fwd over x
  z = concat(y, scan bwd over x reverse)
  emit tag: tok(K)[T] ~ categorical(proj(z))
}
`;
