/** What the simulation found about members that are removed and come back. */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { replicaDifferences } from "../checkers/replicas.ts";
import { goodLink } from "../platform/fabric.ts";
import { groupOf, scenario } from "./stage.ts";

test("a member that was removed and comes back is filled, and brings back nothing that was deleted meanwhile", async () => {
  for (const removed of [0, 1, 2]) {
    await scenario({ storages: groupOf(3) }, async ({ client, cluster, storage, pass }) => {
      const ids: string[] = [];
      for (let file = 0; file < 9; file += 1) {
        const content = Buffer.from(`file ${file}`);
        ids.push(await (file < 6 ? client.upload(content) : client.uploadAppender(content)));
      }
      await pass(3000);
      const machine = storage(removed);
      machine.kill();
      await pass(6000);
      await client.removeStorage("group1", StorageId(machine.address));
      for (const at of [0, 3, 6]) await client.remove(ids[at] ?? "");
      await client.append(ids[7] ?? "", Buffer.from(" and more"));
      for (let file = 0; file < 3; file += 1) ids.push(await client.upload(Buffer.from(`${file}`)));
      await pass(20_000);
      machine.start();
      await pass(60_000);
      for (let file = 0; file < 6; file += 1)
        ids.push(await client.upload(Buffer.from(`${file}.`)));
      await pass(20_000);
      expect(replicaDifferences(cluster)).toEqual([]);
      for (const [at, id] of ids.entries()) {
        const read = await client.downloadBytes(id).then(
          () => "there",
          (error) => (error as { code: string }).code,
        );
        expect(read).toBe([0, 3, 6].includes(at) ? "file-missing" : "there");
      }
    });
  }
});

test("the old name of a regenerated file does not reach a new member with changes of it that come late", async () => {
  // Seed 40073: the source had been away, and sent the file that it had changed before, since the change fitted nothing.
  const storages = [...groupOf(2), { group: "group1", disks: 1, later: true }];
  await scenario({ storages }, async ({ client, cluster, storage, pass }) => {
    const id = await client.uploadAppender(Buffer.from("abcdef"));
    await client.modify(id, Buffer.from("X"), { offset: 1 });
    const [address] = (await client.locate(id)).map((each) => each.address);
    await pass(5000);
    const at = storage(0).address === address ? 0 : 1;
    const [source, other] = [storage(at), storage(1 - at)];
    source.kill();
    await pass(6000);
    storage(2).start();
    await pass(10_000);
    const made = await client.regenerate(id);
    await pass(2000);
    cluster.fabric.block(other.address, source.address);
    source.start();
    await pass(5000);
    cluster.fabric.healAll();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    expect((await client.downloadBytes(made)).toString()).toBe("aXcdef");
    await expect(client.downloadBytes(id)).rejects.toMatchObject({ code: "file-missing" });
  });
});

test("a member that comes back as soon as it was removed, just after it had been filled, is filled again", async () => {
  // Seed 30028: who had filled it knew better for a minute, and nobody told what it was after that.
  await scenario({ storages: groupOf(2) }, async ({ client, cluster, storage, pass }) => {
    for (const machine of [storage(0), storage(1)]) {
      machine.kill();
      await pass(5000);
      await client.upload(Buffer.from(`without ${machine.name}`));
      await client.removeStorage("group1", StorageId(machine.address));
      machine.start();
      await pass(120_000);
      expect(replicaDifferences(cluster)).toEqual([]);
    }
  });
});

test("a member that came back before the others heard of its removal is filled all the same", async () => {
  // Seed 40061: other trackers' logs told of the removal when the member was listed again, and ended the link to it for good.
  await scenario(
    { trackers: 3, storages: groupOf(3) },
    async ({ client, cluster, storage, pass }) => {
      await pass(70_000);
      for (const afterMs of [1, 600, 1200, 3500]) {
        const machine = storage(afterMs % 3);
        machine.kill();
        await pass(6000);
        await client.upload(Buffer.from(`without ${machine.name}, ${afterMs}`));
        await client.removeStorage("group1", StorageId(machine.address));
        await pass(afterMs);
        machine.start();
        await pass(80_000);
        expect(replicaDifferences(cluster)).toEqual([]);
      }
    },
  );
});

test("a removed member that comes back to a tracker that has forgotten it first is filled", async () => {
  // Seed 50899: trackers forget removed members when they restart, and one of them took the member for a whole one that it did not know.
  await scenario(
    { trackers: 3, storages: groupOf(3) },
    async ({ client, cluster, storage, pass }) => {
      await pass(5000);
      for (const at of [0, 1, 2]) {
        const machine = storage(at);
        machine.kill();
        await pass(6000);
        await client.removeStorage("group1", StorageId(machine.address));
        for (let file = 0; file < 8; file += 1) await client.upload(Buffer.from(`${at} ${file}`));
        await pass(2000);
        // What is only in a log that is lost comes by being filled alone.
        const rebuilt = storage((at + 1) % 3);
        rebuilt.losePower();
        rebuilt.disks[0]?.replace();
        rebuilt.powerOn();
        await pass(40_000);
        const forgetful = cluster.trackerMachines[at];
        forgetful?.kill();
        forgetful?.start();
        await pass(10_000);
        for (const { address } of cluster.trackerMachines) {
          const latencyMs = address === forgetful?.address ? goodLink.latencyMs : 50;
          cluster.fabric.setQuality(machine.address, address, { ...goodLink, latencyMs });
        }
        machine.start();
        await pass(80_000);
        expect(replicaDifferences(cluster)).toEqual([]);
      }
    },
  );
});

test("what was deleted while a member was out of the group does not stay there, though the log of the deletion is lost", async () => {
  // Seed 926: who filled the member that came back had lost its disk, and with it what it knew of deletions; the third one knew.
  await scenario({ storages: groupOf(3) }, async ({ client, cluster, storage, pass }) => {
    await pass(5000);
    const ids: string[] = [];
    for (let file = 0; file < 8; file += 1) ids.push(await client.upload(Buffer.from(`${file}`)));
    await pass(3000);
    const [lost, back] = [storage(0), storage(2)];
    back.kill();
    await pass(6000);
    for (const id of ids) await client.remove(id);
    await pass(2000);
    await client.removeStorage("group1", StorageId(back.address));
    lost.losePower();
    lost.disks[0]?.replace();
    lost.powerOn();
    await pass(40_000);
    back.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    for (const id of ids) {
      await expect(client.downloadBytes(id)).rejects.toMatchObject({ code: "file-missing" });
    }
  });
});

test("what only a removed member has is found as soon as the others know that it is back", async () => {
  // Seeds 709, 3567 and 9376: that nobody had the file was remembered for two seconds, whoever came.
  await scenario({ storages: groupOf(2) }, async ({ client, storage, pass }) => {
    const ids: string[] = [];
    for (let file = 0; file < 8; file += 1) ids.push(await client.uploadAppender(Buffer.from("a")));
    await pass(5000);
    const [lost, back] = [storage(0), storage(1)];
    back.kill();
    lost.losePower();
    lost.disks[0]?.replace();
    lost.powerOn();
    await pass(6000);
    await client.removeStorage("group1", StorageId(back.address));
    await pass(1500);
    const append = (id: string): Promise<void> => client.append(id, Buffer.from(" and more"));
    for (const id of ids) {
      await expect(append(id)).rejects.toMatchObject({ code: "file-missing" });
    }
    back.start();
    await pass(1500);
    for (const id of ids) {
      await append(id);
      expect((await client.downloadBytes(id)).toString()).toBe("a and more");
    }
  });
});

test("a member whose source was removed and came back at once, unseen, is filled", async () => {
  // Seed 371: trackers had nobody to fill it any more, and it waited for the storage that had come back. The member asks trackers by itself;
  // one that is started again tells them who fills it, and that one has to ask.
  for (const meanwhile of ["serves", "stands still", "is off"] as const) {
    await scenario({ storages: groupOf(3) }, async ({ client, cluster, storage, pass }) => {
      const [member, source] = [storage(0), storage(1)];
      for (let file = 0; file < 6; file += 1) await client.upload(Buffer.from(`file ${file}`));
      await pass(3000);
      member.kill();
      await pass(6000);
      await client.removeStorage("group1", StorageId(member.address));
      for (let file = 0; file < 6; file += 1) await client.upload(Buffer.from(`more ${file}`));
      source.pause();
      member.start();
      await pass(2000);
      expect(member.node?.storage?.snapshot().group.problem).toContain(source.address);
      source.kill();
      await pass(6000);
      if (meanwhile === "stands still") member.pause();
      if (meanwhile === "is off") member.kill();
      await client.removeStorage("group1", StorageId(source.address));
      source.start();
      await pass(meanwhile === "stands still" ? 3000 : 60_000);
      if (meanwhile === "stands still") member.goOn();
      if (meanwhile === "is off") member.start();
      await pass(200_000);
      expect(replicaDifferences(cluster), meanwhile).toEqual([]);
    });
  }
});
