/** What the simulation found about deletions. */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { replicaDifferences } from "../checkers/replicas.ts";
import { groupOf, scenario } from "./stage.ts";

test("a deletion that broke off with its storage is not reported as not done", async () => {
  // Seed 78: the storage had deleted the file, was killed before it answered, and refused the second try.
  await scenario({}, async ({ client, storage, world }) => {
    const id = await client.uploadAppender(Buffer.from("abc"));
    const removal = client.remove(id).then(
      () => "done",
      (error) => (error as { code: string }).code,
    );
    while (storage(0).disks[0]?.memory.list("/disks/0/data/00/00")?.length !== 0) {
      await new Promise<void>((resolve) => {
        world.at(0.01, { life: undefined, label: "looks" }, resolve);
      });
    }
    storage(0).kill();
    expect(await removal).toBe("outcome-unknown");
  });
});

test("an appender file that was deleted while its source was away does not come back with changes that the others had not seen", async () => {
  // Seed 157: an append arrived where the file was deleted, found nothing, and was followed by the whole file.
  await scenario({ storages: groupOf(2) }, async ({ client, cluster, storage, pass }) => {
    const id = await client.uploadAppender(Buffer.from("abc"));
    await pass(5000);
    const [source] = (await client.locate(id)).map(({ address }) => address);
    const at = storage(0).address === source ? 0 : 1;
    const [here, there] = [storage(at), storage(1 - at)];
    cluster.fabric.block(here.address, there.address);
    await client.append(id, Buffer.from("def"));
    here.kill();
    await pass(10_000);
    await client.remove(id);
    cluster.fabric.healAll();
    here.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    await expect(client.downloadBytes(id)).rejects.toMatchObject({ code: "file-missing" });
  });
});

test("metadata of a file that was deleted does not reach a member that never had the file", async () => {
  // Seed 3004: a new member heard of the deletion first, and of the file and its metadata from their source, which had been away.
  const storages = [...groupOf(2), { group: "group1", disks: 1, later: true }];
  await scenario({ storages }, async ({ client, cluster, storage, pass }) => {
    const id = await client.upload(Buffer.from("abc"));
    await client.setMetadata(id, [["key", "first"]]);
    await client.setMetadata(id, [["key", "second"]]);
    const [address] = (await client.locate(id)).map((each) => each.address);
    await pass(5000);
    const at = storage(0).address === address ? 0 : 1;
    const [source, other] = [storage(at), storage(1 - at)];
    source.kill();
    await pass(8000);
    await client.remove(id);
    storage(2).start();
    await pass(10_000);
    cluster.fabric.block(other.address, source.address);
    source.start();
    await pass(5000);
    cluster.fabric.healAll();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});

test("an appender file that was made by a clock hours ahead stays deleted", async () => {
  // Seed 232: whoever had missed the deletion came back as a new member, compared its files before it was told, and had the later one.
  const plan = { storages: groupOf(2), durability: "relaxed" } as const;
  await scenario(plan, async ({ client, cluster, storage, pass }) => {
    for (const machine of [storage(0), storage(1)]) machine.time.step(9_000_000);
    const id = await client.uploadAppender(Buffer.from("abc"));
    const [source] = (await client.locate(id)).map(({ address }) => address);
    await pass(5000);
    const at = storage(0).address === source ? 0 : 1;
    const [here, there] = [storage(at), storage(1 - at)];
    there.time.step(-9_000_000);
    here.kill();
    await pass(6000);
    await client.remove(id);
    await client.removeStorage("group1", StorageId(here.address));
    here.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    await expect(client.downloadBytes(id)).rejects.toMatchObject({ code: "file-missing" });
  });
});

test("a slave that was deleted in the second in which it was made stays deleted", async () => {
  // Seeds 405 and 778: its source was killed before it noted how far the others had come, and sent the slave once more.
  await scenario({ storages: groupOf(3) }, async ({ client, cluster, storage, pass }) => {
    const master = await client.upload(Buffer.from("abc"));
    const [address] = (await client.locate(master)).map((each) => each.address);
    const all = [storage(0), storage(1), storage(2)];
    const source = all.find((each) => each.address === address);
    await pass(3000);
    await client.uploadSlave(master, Buffer.from("other"), { prefix: "_o" });
    await pass(100);
    const slave = await client.uploadSlave(master, Buffer.from("def"), { prefix: "_s" });
    // A deletion is never before what it deletes.
    for (const each of all) each.time.step(-3_600_000);
    await pass(100);
    source?.kill();
    await pass(6000);
    await client.remove(slave);
    source?.start();
    await pass(60_000);
    expect(replicaDifferences(cluster)).toEqual([]);
    await expect(client.downloadBytes(slave)).rejects.toMatchObject({ code: "file-missing" });
  });
});

test("metadata goes with a file that was deleted where nobody had heard of it", async () => {
  // Seeds 4752 and 60417.
  await scenario({ storages: groupOf(2) }, async ({ client, cluster, storage, pass }) => {
    const id = await client.upload(Buffer.from("abc"));
    await pass(5000);
    storage(0).kill();
    await pass(6000);
    await client.setMetadata(id, [["key", "value"]]);
    storage(1).kill();
    storage(0).start();
    await pass(6000);
    await client.remove(id);
    storage(1).start();
    await pass(30_000);
    expect(replicaDifferences(cluster)).toEqual([]);
  });
});
