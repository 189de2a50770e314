/** What the simulation found about copies that were not made, or were not the same. */
import { expect, test } from "vitest";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { copiesOf, replicaDifferences } from "../checkers/replicas.ts";
import { goodLink } from "../platform/fabric.ts";
import type { SimulatedMachine } from "../platform/simulated-machine.ts";
import { groupOf, type Stage, scenario } from "./stage.ts";

const yearMs = 365 * 86_400_000;
const trackerAddress = "10.0.0.1";

/** The storage that took the file, and the other one. */
async function sourceAndOther(
  { client, storage }: Stage,
  id: string,
): Promise<readonly [SimulatedMachine, SimulatedMachine]> {
  const [address] = (await client.locate(id)).map((each) => each.address);
  const at = storage(0).address === address ? 0 : 1;
  return [storage(at), storage(1 - at)];
}

test("a file that the peer's disk refused reaches it, although the sender loses its power meanwhile", async () => {
  // Seed 338: the mark had passed the record, and the list of what was set aside was not on the disk.
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    await pass(5000);
    for (const at of [0, 1]) {
      const disk = storage(1 - at).disks[0];
      if (disk !== undefined) disk.failsOneIn = 1;
      const [source] = cluster.storageMachines.filter((_each, index) => index === at);
      cluster.fabric.block(trackerAddress, storage(1 - at).address);
      await pass(6000);
      await client.upload(Buffer.from(`made at ${at}`));
      await pass(3500);
      source?.losePower();
      cluster.fabric.healAll();
      disk?.heal();
      source?.powerOn();
      await pass(60_000);
      expect(replicaDifferences(cluster)).toEqual([]);
    }
  });
});

test("a change that the peer's disk refused is not replaced by what the peer has, although the sender starts again", async () => {
  // Seed 639: what was set aside before the start counted as unreadable here, and a copy was had from the peer in place of it.
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, pass } = stage;
    const id = await client.uploadAppender(Buffer.from("abc"));
    await pass(5000);
    const [source, other] = await sourceAndOther(stage, id);
    const [disk] = other.disks;
    if (disk !== undefined) disk.failsOneIn = 1;
    await client.append(id, Buffer.from("def"));
    await pass(3500);
    source.kill();
    disk?.heal();
    source.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect((await client.downloadBytes(id)).toString()).toBe("abcdef");
  });
});

test("changes on both sides of a partition end the same everywhere, and the later one counts", async () => {
  // Seed 252: the source sent an old change again, and replaced what had been changed since.
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, pass } = stage;
    const id = await client.uploadAppender(Buffer.from("abcdef"));
    await pass(5000);
    const [source, other] = await sourceAndOther(stage, id);
    cluster.fabric.block(source.address, other.address);
    await client.truncate(id, 3);
    source.kill();
    await pass(10_000);
    await client.append(id, Buffer.from("ghi"));
    cluster.fabric.healAll();
    source.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect((await client.downloadBytes(id)).toString()).toBe("abcdefghi");
  });
});

test("what a modification wrote in front of a later truncation reaches the peer, also when both are sent late", async () => {
  // Seed 824: the modified range was not whole any more, and was left out; the truncation fitted all the same.
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, pass } = stage;
    const id = await client.uploadAppender(Buffer.from("abcdef"));
    await pass(5000);
    const [, other] = await sourceAndOther(stage, id);
    other.kill();
    await client.modify(id, Buffer.from("XYZ"), { offset: 1 });
    await client.truncate(id, 3);
    other.start();
    await pass(30_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect((await client.downloadBytes(id)).toString()).toBe("aXY");
  });
});

test("a change that is made where the clock is years behind counts all the same", async () => {
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, pass } = stage;
    const id = await client.uploadAppender(Buffer.from("abcdef"));
    await pass(5000);
    const [source, other] = await sourceAndOther(stage, id);
    source.kill();
    other.time.step(-10 * yearMs);
    await pass(10_000);
    await client.modify(id, Buffer.from("XY"), { offset: 1 });
    source.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect((await client.downloadBytes(id)).toString()).toBe("aXYdef");
  });
});

test("a new member gets what was made just before it came, whatever the clock of the tracker says", async () => {
  // Seed 23: the time up to which the member was to be filled came from a clock that was behind.
  const storages = [...groupOf(2), { group: "group1", disks: 1, later: true }];
  await scenario({ storages }, async ({ client, cluster, storage, pass }) => {
    for (let file = 0; file < 6; file += 1) await client.upload(Buffer.from(`file ${file}`));
    cluster.trackerMachines[0]?.time.step(-yearMs);
    for (let file = 6; file < 12; file += 1) await client.upload(Buffer.from(`file ${file}`));
    await pass(1000);
    storage(2).powerOn();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect(cluster.storagesOf("group1")).toHaveLength(3);
  });
});

test("a file that its source alone has is not called missing while that cannot be asked", async () => {
  // Seeds 114 and 160: the tracker took the source for gone, and the other storage said that there was no such file.
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    await pass(5000);
    cluster.fabric.block(storage(0).address, storage(1).address);
    cluster.fabric.block(storage(1).address, storage(0).address);
    const id = await client.uploadAppender(Buffer.from("abc"));
    const [source] = await sourceAndOther(stage, id);
    source.kill();
    await pass(8000);
    const codes: string[] = [];
    const note = (error: unknown): number => codes.push((error as { code: string }).code);
    await client.downloadBytes(id).catch(note);
    await client.append(id, Buffer.from("def")).catch(note);
    await client.remove(id).catch(note);
    expect(codes).toHaveLength(3);
    expect(codes).not.toContain("file-missing");
  });
});

test("modifications of one second that two storages make before they hear of each other end in the same bytes", async () => {
  // Each was put into the other's file, and nothing ever compares files of the same size and time.
  await scenario({ storages: groupOf(2), trackers: 2 }, async (stage) => {
    const { cluster, clock, pass } = stage;
    const [here, elsewhere] = cluster.trackers.map((tracker, at) => {
      const { network } = cluster.outsider(`client of ${tracker.address}`, `10.0.2.${5 + at}`);
      return new FastdfsClient({ trackers: [tracker], network, clock });
    }) as [FastdfsClient, FastdfsClient];
    const id = await here.uploadAppender(Buffer.alloc(1000, "a"));
    await pass(5000);
    const [source, other] = await sourceAndOther(stage, id);
    // For this tracker it is out of service.
    cluster.fabric.block(source.address, cluster.trackers[1]?.address ?? "");
    await pass(10_000);
    // Behind the file, so that the time of a change follows from that of the file.
    for (const { time } of [source, other]) time.step(-3_600_000);
    const far = { ...goodLink, latencyMs: 700 };
    cluster.fabric.setQuality(source.address, other.address, far);
    cluster.fabric.setQuality(other.address, source.address, far);
    await Promise.all([
      here.modify(id, Buffer.from("here"), { offset: 0 }),
      elsewhere.modify(id, Buffer.from("elsewhere"), { offset: 0 }),
    ]);
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});

test("a long modification goes to the other storages in pieces, not as a new file", async () => {
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, pass } = stage;
    const id = await client.uploadAppender(Buffer.alloc(700_000, "a"));
    await pass(5000);
    const [, other] = await sourceAndOther(stage, id);
    await client.modify(id, Buffer.alloc(600_000, "b"), { offset: 1 });
    await pass(10_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    const memory = other.disks[0]?.memory;
    const binlog = memory?.open("/disks/0/data/sync/binlog.000", "read") ?? 0;
    const lines = Buffer.alloc(4096);
    const length = memory?.read(binlog, lines, 0);
    const records = lines.toString("latin1", 0, length).split("\n").slice(0, -1);
    expect(records.map((line) => line.split(" ")[1])).toEqual(["c", "m", "m", "m"]);
  });
});

test("an appender file of which changes were made without each other ends the same everywhere", async () => {
  // Seed 655: one copy had the append on top of the modification, of the time and size that the copies without the modification had.
  // The notes of what is to be compared outlast restarts, power cuts included, that come before the file has rested.
  const stories = ["goes on", "restarts", "loses power"] as const;
  for (const story of stories)
    await scenario({ storages: groupOf(3) }, async (stage) => {
      const { client, cluster, storage, pass } = stage;
      const id = await client.uploadAppender(Buffer.from("zzzzzz"));
      const [address] = (await client.locate(id)).map((each) => each.address);
      const all = [storage(0), storage(1), storage(2)];
      const source = all.find((each) => each.address === address) ?? storage(0);
      const others = all.filter((each) => each !== source);
      await pass(5000);
      source.kill();
      await pass(6000);
      await client.modify(id, Buffer.from("aaa"), { offset: 0 });
      await pass(2000);
      for (const other of others) cluster.fabric.block(source.address, other.address);
      for (const other of others) cluster.fabric.block(other.address, source.address);
      source.start();
      await pass(8000);
      await client.append(id, Buffer.from("end"));
      await pass(1000);
      expect(copiesOf(cluster, id).map(String).sort()).toEqual(["aaazzz", "aaazzz", "zzzzzzend"]);
      cluster.fabric.healAll();
      await pass(10_000);
      for (const each of story === "goes on" ? [] : all) {
        if (story === "restarts") each.kill();
        else each.losePower();
        if (story === "restarts") each.start();
        else each.powerOn();
      }
      await pass(120_000);
      expect(replicaDifferences(cluster), story).toEqual([]);
    });
});
