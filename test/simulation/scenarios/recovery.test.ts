/** What the simulation found about disks that were lost. */
import { expect, test } from "vitest";
import { FileError } from "#platform/files.ts";
import { replicaDifferences } from "../checkers/replicas.ts";
import { goodLink } from "../platform/fabric.ts";
import type { SimulatedMachine } from "../platform/simulated-machine.ts";
import { groupOf, type Stage, scenario } from "./stage.ts";

/** `there`, or why it could not be read. */
function read({ client }: Stage, id: string): Promise<string> {
  return client.downloadBytes(id).then(
    () => "there",
    (error) => (error as { code: string }).code,
  );
}

/** A file of `source`, of which `lacking` hears nothing as long as the links to it are blocked. */
async function uploadedAt(
  { client, cluster }: Stage,
  source: SimulatedMachine,
  lacking?: SimulatedMachine,
): Promise<string> {
  for (const { address } of lacking === undefined ? [] : cluster.storageMachines) {
    if (address !== lacking?.address) cluster.fabric.block(address, lacking?.address ?? "");
  }
  for (;;) {
    const id = await client.upload(Buffer.from("a file"));
    if ((await client.locate(id))[0]?.address === source.address) return id;
  }
}

function wipe(machine: SimulatedMachine): void {
  machine.losePower();
  machine.disks[0]?.replace();
}

async function neverMissing(stage: Stage, id: string, forMs: number): Promise<void> {
  const { clock, pass } = stage;
  const untilMs = clock.monotonicMs() + forMs;
  while (clock.monotonicMs() < untilMs) {
    expect(await read(stage, id)).not.toBe("file-missing");
    await pass(100);
  }
}

test("a file that only one peer had got when its source lost the disk reaches the other one as well", async () => {
  // Seed 2021: the source compared itself with the one that lacked it before it had it back from the other one.
  await scenario({ storages: groupOf(3) }, async ({ client, cluster, storage, pass }) => {
    await pass(5000);
    for (const lacking of [0, 1, 2]) {
      const others = [0, 1, 2].filter((each) => each !== lacking).map(storage);
      for (const { address } of others) cluster.fabric.block(address, storage(lacking).address);
      const sources: (string | undefined)[] = [];
      for (let file = 0; file < 3; file += 1) {
        const id = await client.upload(Buffer.from(`file ${file} without ${lacking}`));
        sources.push((await client.locate(id))[0]?.address);
      }
      const source = others.find(({ address }) => sources.includes(address));
      await pass(100);
      source?.losePower();
      source?.disks[0]?.replace();
      cluster.fabric.healAll();
      source?.powerOn();
      await pass(90_000);
      expect(replicaDifferences(cluster)).toEqual([]);
    }
  });
});

test("files with times ahead of the clock come back as well, and are called lost by nobody", async () => {
  // Seed 10019: after cuts of power names were ahead of the clock, and what remembered that went with the disk; a member that had been
  // away was taken to have all that was older.
  await scenario({ storages: groupOf(3) }, async ({ client, cluster, storage, pass }) => {
    await pass(5000);
    const [other, source, one] = [storage(0), storage(1), storage(2)];
    other.kill();
    one.kill();
    for (let cut = 0; cut < 6; cut += 1) {
      await pass(3000);
      await client.upload(Buffer.from(`before cut ${cut}`));
      source.losePower();
      source.powerOn();
    }
    one.start();
    await pass(10_000);
    const ids: string[] = [];
    for (let file = 0; file < 4; file += 1) {
      ids.push(await client.upload(Buffer.from(`file ${file}`)));
    }
    await pass(500);
    source.losePower();
    source.disks[0]?.replace();
    source.powerOn();
    other.start();
    for (let look = 0; look < 30; look += 1) {
      await pass(2000);
      for (const id of ids) {
        const read = await client
          .downloadBytes(id)
          .catch((error) => (error as { code: string }).code);
        expect(read).not.toBe("file-missing");
      }
    }
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});

test("a disk that fails when its recovery begins is rebuilt once it works", async () => {
  // Seed 877: the note of the recovery could not be written, and nobody looked at the path again before the next start.
  await scenario({ storages: groupOf(2) }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    for (let file = 0; file < 5; file += 1) await client.upload(Buffer.from(`file ${file}`));
    await pass(3000);
    const [lost] = storage(0).disks;
    if (lost === undefined) throw new Error("a storage has a disk");
    wipe(storage(0));
    const checkWriting = lost.checkWriting.bind(lost);
    lost.checkWriting = (path) => {
      if (path.endsWith(".part")) throw new FileError("EIO", `EIO: ${path} (simulated)`, path);
      checkWriting(path);
    };
    storage(0).powerOn();
    await pass(5000);
    lost.checkWriting = checkWriting;
    await pass(30_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});

test("a rebuilt disk whose peer lacked a file calls it missing only when all peers were asked", async () => {
  // Seed 70: the only peer that could be reached had not got the file yet, and its source took it for deleted.
  await scenario({ storages: groupOf(3) }, async (stage) => {
    const { cluster, storage, pass } = stage;
    const { fabric } = cluster;
    await pass(5000);
    const [source, other, lacking] = [storage(0), storage(1), storage(2)];
    const id = await uploadedAt(stage, source, lacking);
    await pass(100);
    wipe(source);
    fabric.healAll();
    fabric.block(source.address, other.address);
    fabric.block(other.address, source.address);
    source.powerOn();
    await neverMissing(stage, id, 40_000);
    fabric.healAll();
    await neverMissing(stage, id, 60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});

test("a storage that lost its disk tells nobody to have all of its files before it has compared them", async () => {
  // The third one was told so, and called a file deleted that it had never got.
  await scenario({ storages: groupOf(3) }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    const { fabric } = cluster;
    await pass(5000);
    const [source, other, lacking] = [storage(0), storage(1), storage(2)];
    const id = await uploadedAt(stage, source, lacking);
    await pass(100);
    wipe(source);
    fabric.healAll();
    const slow = { ...goodLink, latencyMs: 1000 };
    fabric.setQuality(source.address, other.address, slow);
    fabric.setQuality(other.address, source.address, slow);
    source.powerOn();
    await pass(3000);
    source.kill();
    fabric.healAll();
    await pass(5000);
    await client.remove(id);
    source.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect(await read(stage, id)).toBe("file-missing");
  });
});

test("a storage that is killed after its disk was rebuilt compares itself with the others all the same", async () => {
  // Seeds 2261, 2855 and 5099: what one peer had and the other one lacked was nobody's task any more.
  await scenario({ storages: groupOf(3) }, async (stage) => {
    const { cluster, storage, pass } = stage;
    await pass(5000);
    const [source, lacking] = [storage(0), storage(2)];
    await uploadedAt(stage, source, lacking);
    await pass(100);
    wipe(source);
    cluster.fabric.healAll();
    source.powerOn();
    await pass(2000);
    source.kill();
    source.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});

test("a deletion whose log was lost reaches those that were away, also after a restart", async () => {
  // Seed 1324: who had deleted the file lost its disk, compared itself with whoever was there, and the one that had been away kept the file.
  for (const restarts of [false, true]) {
    await scenario({ storages: groupOf(3) }, async (stage) => {
      const { client, cluster, storage, pass } = stage;
      await pass(5000);
      const [source, away] = [storage(0), storage(2)];
      const id = await uploadedAt(stage, source);
      await pass(3000);
      away.kill();
      await pass(6000);
      await client.remove(id);
      await pass(2000);
      wipe(source);
      source.powerOn();
      await pass(40_000);
      if (restarts) {
        source.kill();
        source.start();
        await pass(5000);
      }
      away.start();
      await pass(60_000);
      expect(replicaDifferences(cluster)).toEqual([]);
      expect(await read(stage, id)).toBe("file-missing");
    });
  }
});

test("a change of a file that a rebuilt disk has in an older version brings the whole file", async () => {
  // Seed 3313: the versions were as large, so the change fitted, and after it nothing told that the contents differed.
  await scenario({ storages: groupOf(3) }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    const { fabric } = cluster;
    await pass(5000);
    const [lagging, source, lost] = [storage(0), storage(1), storage(2)];
    let id = "";
    do id = await client.uploadAppender(Buffer.from("one version"));
    while ((await client.locate(id))[0]?.address !== source.address);
    await pass(3000);
    fabric.block(source.address, lagging.address);
    await client.modify(id, Buffer.from("two"), { offset: 0 });
    await pass(1000);
    wipe(lost);
    fabric.block(source.address, lost.address);
    fabric.block(lost.address, source.address);
    lost.powerOn();
    await pass(1500);
    await client.truncate(id, 7);
    fabric.healAll();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect((await client.downloadBytes(id)).toString()).toBe("two ver");
  });
});

test("a disk that answers some time after the start, and is empty, makes no file missing meanwhile", async () => {
  // Seed 62406: for up to a second from when it was opened, what was not there counted as deleted.
  const storages = groupOf(2).map((each) => ({ ...each, disks: 2 }));
  await scenario({ storages }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    const source = storage(0);
    const ids: string[] = [];
    while (ids.length < 100) {
      const id = await uploadedAt(stage, source);
      if (id.includes("/M00/")) ids.push(id);
    }
    await pass(5000);
    const [lost] = source.disks;
    if (lost === undefined) throw new Error("the storage has no disk");
    wipe(source);
    lost.failsOneIn = 1;
    source.powerOn();
    await pass(8000);
    lost.failsOneIn = 0;
    for (const id of ids) {
      const removal = client.remove(id).then(
        () => "done",
        (error) => (error as { code: string }).code,
      );
      expect(await removal).not.toBe("file-missing");
      await pass(100);
    }
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});
