/**
 * Goal: what goes wrong between two storages, or while one is away, is told truly and ends well. Method: two real nodes; bits change on the
 * line between them, small files share slots of trunk files one after the other, a peer is killed while files are stored.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ControlClient } from "#cli/control-client.ts";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { DamagingProxy } from "../../support/damaging-proxy.ts";
import { statusOf } from "../../support/live-node.ts";
import { eventually, NodeGroup } from "../../support/node-group.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import type { StorageCaller } from "../../support/storage-caller.ts";

const limitMs = 120_000;
const soonMs = 30_000;
const random = seededRandom(20_261_123);
let group: NodeGroup | undefined;
let proxy: DamagingProxy | undefined;

afterEach(async () => {
  await group?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  group = undefined;
  proxy = undefined;
}, 60_000);

type Link = NonNullable<NodeStatus["links"]>[number];

async function linkAt(nodes: NodeGroup, at: number): Promise<Link | undefined> {
  const path = join(nodes.folder, String(at), "cairn.sock");
  const control = new ControlClient({ network: new NodeNetwork(), clock: nodeClock, path });
  return (await control.ask(status, {})).links?.[0];
}

async function sentAll(nodes: NodeGroup, at: number): Promise<void> {
  await eventually(soonMs, async () => {
    const link = await linkAt(nodes, at);
    const { pendingRecords, backlogBytes, lagSeconds } = link ?? {};
    return pendingRecords === 0 && backlogBytes === 0 && lagSeconds === 0;
  });
}

test("what waits for a storage that is away is told, and gone when it is back", async () => {
  group = await NodeGroup.start({ count: 2 });
  const caller = await group.caller(0);
  await caller.upload(Buffer.from("before"));
  await sentAll(group, 0);
  await group.kill(1);
  const stored = performance.now();
  for (let at = 0; at < 40; at += 1) await caller.upload(Buffer.from(`while it is away ${at}`));
  await eventually(soonMs, async () => {
    const link = group && (await linkAt(group, 0));
    return link?.pendingRecords === 40 && (link.lagSeconds ?? 0) >= 2;
  });
  const link = await linkAt(group, 0);
  expect(link?.lagSeconds).toBeLessThanOrEqual((performance.now() - stored) / 1000 + 1);
  expect(link?.backlogBytes).toBe(0);
  const { address, port } = { address: group.address(0), port: group.ports.gateway };
  const metrics = await (await fetch(`http://${address}:${port}/metrics`)).text();
  expect(metrics).toContain(`storage_sync_pending_records{peer="${group.address(1)}"} 40`);
  await group.run(1);
  await sentAll(group, 0);
  caller.close();
}, 60_000);

test(
  "bits that change on the way are noticed, sent again, and nothing wrong is ever visible",
  async () => {
    // The second node is known by the address of the line that leads to it.
    const line = (nodes: NodeGroup): string => nodes.address(50);
    group = await NodeGroup.start({
      count: 1,
      settings: (nodes) => {
        const file = join(nodes.folder, "storage_ids.conf");
        writeFileSync(file, `100001 group1 ${nodes.address(0)}\n100002 group1 ${line(nodes)}\n`);
        return [
          `tracker.storage_ids_file=${file}`,
          "storage.server_id=100001",
          "node.network_timeout=3s",
        ];
      },
    });
    const { storage: port } = group.ports;
    proxy = await DamagingProxy.start({
      listen: { address: line(group), port },
      to: { address: group.address(1), port },
      from: group.address(0),
      ...{ bytesAFlip: 500_000, seed: 7 },
    });
    await group.run(1, ["storage.server_id=100002"]);
    await group.active(1);
    const caller = await group.caller(0);
    const files = new Map<string, Buffer>();
    for (let at = 0; at < 150; at += 1) {
      const content = Buffer.from(
        random.bytes(at % 15 === 0 ? 900_000 : 1 + random.below(120_000)),
      );
      const appender = at % 10 === 3;
      const name = await caller.upload(content, { appender });
      files.set(name, content);
      if (at % 10 === 0) expectNothingWrong(group, files);
    }
    await eventually(soonMs, () => (proxy?.flips ?? 0) >= 20);
    proxy.damages = false;
    await eventually(60_000, () => {
      expectNothingWrong(group as NodeGroup, files);
      return [...files].every(([name]) => group?.content(1, name) !== undefined);
    });
    await sentAll(group, 0);
    caller.close();
  },
  limitMs,
);

function expectNothingWrong(nodes: NodeGroup, files: ReadonlyMap<string, Buffer>): void {
  for (const [name, content] of files) {
    const found = nodes.content(1, name);
    if (found !== undefined) expect(found.equals(content), name).toBe(true);
  }
}

test(
  "packed files of both storages are at both, through deletions and slots that are used again",
  async () => {
    group = await NodeGroup.start({ count: 2, settings: ["storage.packing=on"] });
    const callers = await Promise.all([group.caller(0), group.caller(1)]);
    const files = new Map<string, Buffer>();
    const deleted: string[] = [];
    const seen = new Set<string>();
    let reused = 0;
    for (let round = 0; round < 4; round += 1) {
      for (let at = 0; at < 200; at += 1) {
        const content = Buffer.from(random.bytes(random.below(6000)));
        const name = await callerOf(callers, at).upload(content);
        files.set(name, content);
        const slot = slotOf(name);
        if (seen.has(slot)) reused += 1;
        seen.add(slot);
      }
      for (const name of [...files.keys()].filter(() => random.below(2) === 0)) {
        await callerOf(callers, random.below(2))
          .remove(name)
          .catch(async () => await callerOf(callers, deleted.length).remove(name));
        files.delete(name);
        deleted.push(name);
      }
    }
    expect(reused).toBeGreaterThan(20);
    await Promise.all([sentAll(group, 0), sentAll(group, 1)]);
    for (const caller of callers) {
      for (const [name, content] of files) expect(await caller.download(name)).toEqual(content);
      for (const name of deleted) expect(await statusOf(caller.download(name))).toBe(2);
      caller.close();
    }
    // Alone it has nobody to fetch from.
    await group.kill(0);
    const alone = await group.caller(1);
    for (const [name, content] of files) expect(await alone.download(name)).toEqual(content);
    alone.close();
  },
  limitMs,
);

function callerOf(callers: readonly StorageCaller[], at: number): StorageCaller {
  return callers[at % callers.length] as StorageCaller;
}

/** The node that has the trunk file is in its name as well. */
function slotOf(name: string): string {
  const place = parseRemoteFilename(name);
  const decoded = decodeBase(place?.base ?? "");
  return JSON.stringify([
    place?.storePathIndex,
    place?.high,
    place?.low,
    decoded?.trunk?.fileId,
    decoded?.trunk?.offset,
  ]);
}
