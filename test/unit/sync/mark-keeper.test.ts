import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { AsideList } from "#sync/aside-list.ts";
import { MarkKeeper } from "#sync/mark-keeper.ts";
import type { SyncMark } from "#sync/sync-cursor.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

const mark: SyncMark = {
  position: { index: 0, offset: 5 },
  ...{ needSyncOld: false, oldDone: false, until: 0, scanned: 1, synced: 1 },
};

function keeper(store: MemorySyncStore): { readonly marks: MarkKeeper; readonly aside: AsideList } {
  const parts = {
    ...{ store, clock: new ManualClock(), log: new Log("test", () => {}) },
    ...{ storePathIndex: 0, peer: "b", markName: () => "b" },
  };
  const aside = new AsideList(parts);
  return { marks: new MarkKeeper({ ...parts, aside }), aside };
}

test("a mark is written once, found again, and what was set aside is written before it", async () => {
  const store = new MemorySyncStore();
  const order: string[] = [];
  const { set } = store.marks;
  store.marks.set = (name, text) => {
    order.push(name);
    return set.call(store.marks, name, text);
  };
  const { marks, aside } = keeper(store);
  expect(await marks.load()).toBeUndefined();
  const entry = { kind: "create", timestamp: 1, replica: false, name: "M00/00/00/abc" } as const;
  const item = { entry, line: "1 C M00/00/00/abc", whole: undefined, tries: 3, wasAside: false };
  aside.add(item, { why: "EIO", unreadable: true });
  marks.scanned = 1;
  marks.synced = 1;
  await marks.save(mark);
  await marks.save(mark);
  expect(order).toEqual(["0/b.aside.mark", "0/b.mark"]);
  const again = keeper(store);
  expect(await again.marks.load()).toEqual(mark);
  expect(again.aside.records).toMatchObject([{ line: item.line, why: "EIO" }]);
});
