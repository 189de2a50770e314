import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { recentChanges } from "#sync/recent-deletions.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

/** Refuses places where no record begins, as the engine does. */
class StrictStore extends MemorySyncStore {
  override async readBinlog(
    ...[path, from, maxBytes]: Parameters<MemorySyncStore["readBinlog"]>
  ): ReturnType<MemorySyncStore["readBinlog"]> {
    const before = this.binlogs[from.index]?.[from.offset - 1];
    if (from.offset > 0 && before !== "\n") throw fileStoreError("binlog-gone", "no record");
    return super.readBinlog(path, from, maxBytes);
  }
}

test("the end of the binlog is read from the first whole record on, wherever it is cut", async () => {
  const store = new StrictStore();
  for (let at = 0; at < 40; at += 1) store.remove(store.upload(Buffer.from(`file ${at}`)));
  store.append(store.upload(Buffer.from("more"), "appender"), Buffer.from("!"));
  const all = store.lines.filter((line) => / [CD] /.test(line));
  for (let tail = 200; tail < 330; tail += 13) {
    const found: string[] = [];
    for await (const { kind, name } of recentChanges(store, 0, tail)) {
      found.push(`${kind === "delete" ? "D" : "C"} ${name}`);
    }
    expect(found.length).toBeGreaterThan(1);
    expect(all.slice(-found.length).map((line) => line.slice(line.indexOf(" ") + 1))).toEqual(
      found,
    );
  }
});
