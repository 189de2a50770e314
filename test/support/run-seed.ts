/**
 * The seed of a run: every random test begins with it, so that a run says something about the code and not about the day. The
 * same one unless `CAIRN_SEED` names another; `CAIRN_SEED=random` looks for what nobody has seen. A failure prints its seed.
 */
const standing = 1;
const limit = 1_000_000_000;

/** What `text`, the value of `CAIRN_SEED`, asks for. Throws where it is no seed. */
export function seedOf(text: string | undefined, drawn: () => number): number {
  if (text === undefined || text === "") return standing;
  if (text === "random") return Math.floor(drawn() * limit);
  const seed = Number(text);
  if (Number.isSafeInteger(seed)) return seed;
  throw new Error(`CAIRN_SEED=${text}: give a whole number, or "random"`);
}

export const runSeed: number = seedOf(process.env.CAIRN_SEED, Math.random);
