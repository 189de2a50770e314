/**
 * Goal: a receipt names the disk of each copy by the id in its passport, by when it was flushed there, and when it was verified. Method: two
 * real nodes of one group that look after their disks; times are compared with what the file systems say.
 */

import { statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { orderScrub, receipt, reportScrub } from "#control/operations/files.ts";
import { status } from "#control/operations/system.ts";
import { controlOf, identityIn, makeDisk } from "../support/disk-node.ts";
import { statusOf } from "../support/live-node.ts";
import { eventually, NodeGroup } from "../support/node-group.ts";

const limitMs = 240_000;
const waitMs = 60_000;
const path = 1;
const managed = ["disks.manage=true", "disks.mount_directory=./mnt", "storage.path=./store0"];

test(
  "a receipt tells the disk ids of both copies, by when they were flushed, and when they were verified",
  async () => {
    await using group = await NodeGroup.start({ count: 2, settings: managed });
    const folder = (at: number): string => join(group.folder, String(at));
    const disks = ["a", "b"].map((digit, at) => {
      const place = join(folder(at), "mnt", digit);
      return makeDisk(place, identityIn(folder(at)), { digit, indexes: [path] });
    });
    const ask = async () => {
      const { copies } = await controlOf(folder(0)).ask(receipt, { id: `group1/${name}` });
      return copies;
    };
    for (const at of [0, 1]) {
      await eventually(waitMs, async () => {
        const { storePaths } = await controlOf(folder(at)).ask(status, {});
        return storePaths.filter(({ state }) => state === "online").length === 2;
      });
    }
    const [first, second] = [await group.caller(0), await group.caller(1)];
    // The kernel notes times by a clock that goes in steps of some milliseconds.
    const begin = Math.floor((Date.now() - 100) / 1000);
    const name = await first.upload(Buffer.alloc(100_000, "r"), { path });
    const end = Math.ceil(Date.now() / 1000);
    await eventually(waitMs, async () => (await statusOf(second.info(name, 66))) === 0);
    first.close();
    second.close();

    const fileAt = (at: number): string =>
      join(disks[at] ?? "", "store/M01/data", name.slice("M01/".length));
    // A file may be given any time of its content; by when it was flushed is another matter.
    utimesSync(fileAt(1), 1, 1);
    const changed = [0, 1].map((at) => Math.floor(statSync(fileAt(at)).ctimeMs / 1000));
    expect(await ask()).toMatchObject([
      { own: true, state: "holds", storePath: path, diskId: "a".repeat(32), flushedAt: changed[0] },
      {
        own: false,
        state: "holds",
        storePath: path,
        diskId: "b".repeat(32),
        flushedAt: changed[1],
      },
    ]);
    expect(changed[0]).toBeGreaterThanOrEqual(begin);
    expect(changed[0]).toBeLessThanOrEqual(end);
    expect((await ask()).map(({ verifiedAt }) => verifiedAt)).toEqual([undefined, undefined]);

    // What changed within the second in which a scrub begins counts as changed after it.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const scrubbed = Math.floor(Date.now() / 1000);
    for (const at of [0, 1]) {
      const control = controlOf(folder(at));
      await control.ask(orderScrub, { order: "start" });
      await eventually(waitMs, async () => {
        const { paths } = await control.ask(reportScrub, {});
        return paths.every(({ state, endedAt }) => state === "idle" && endedAt > 0);
      });
    }
    for (const { verifiedAt } of await ask()) expect(verifiedAt).toBeGreaterThanOrEqual(scrubbed);
  },
  limitMs,
);
