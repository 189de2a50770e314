/** Marks of peers that go on under another name, or are gone, on all store paths. Main thread. */
import type { SyncStore } from "#sync/push.ts";

const endings = [".mark", ".aside.mark"] as const;

/** What is noted under `to` already stays. Rejects where a store path cannot be read, when the others are done. */
export async function moveMarks(store: SyncStore, from: string, to: string): Promise<void> {
  await onAllPaths(store, async (index, ending) => {
    const text = await store.readMark(index, `${from}${ending}`);
    if (text === undefined) return;
    if ((await store.readMark(index, `${to}${ending}`)) === undefined) {
      await store.writeMark(index, `${to}${ending}`, text);
    }
    await store.removeMark(index, `${from}${ending}`);
  });
}

/** The peer may come back with nothing: then it is sent everything. */
export function removeMarks(store: SyncStore, name: string): Promise<void> {
  return onAllPaths(store, (index, ending) => store.removeMark(index, `${name}${ending}`));
}

async function onAllPaths(
  store: SyncStore,
  work: (storePathIndex: number, ending: string) => Promise<void>,
): Promise<void> {
  let failure: unknown;
  for (const { index } of store.paths) {
    for (const ending of endings) {
      await work(index, ending).catch((error: unknown) => {
        failure = error;
      });
    }
  }
  if (failure !== undefined) throw failure;
}
