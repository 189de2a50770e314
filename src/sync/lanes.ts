/** Work that is done some at a time. */

/** Calls `work` for each item, at most `lanes` at the same time, in order of their begin. Rejects with the first failure, when all ended. */
export async function inLanes<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  lanes: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failed = false;
  let failure: unknown;
  // An iterator is asked by one lane at a time.
  let turn: Promise<unknown> = Promise.resolve();
  const next = (): Promise<IteratorResult<Item>> => {
    const step = turn.then(async () => await iterator.next());
    turn = step.catch(() => undefined);
    return step;
  };
  const lane = async (): Promise<void> => {
    try {
      while (!failed) {
        const step = await next();
        if (step.done === true) return;
        await work(step.value);
      }
    } catch (error) {
      if (!failed) failure = error;
      failed = true;
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, lanes) }, lane));
  if (!failed) return;
  await iterator.return?.();
  throw failure;
}
