/** What becomes of a request whose disk stands still while it is carried out. */
import { expect, test } from "vitest";
import { scenario } from "./stage.ts";

const data = "/disks/0/data";

test("an upload on a disk that hangs in the middle of it fails in time, and leaves nothing when the disk answers again", async () => {
  await scenario({}, async ({ client, storage, world, pass }) => {
    const [disk] = storage(0).disks;
    if (disk === undefined) throw new Error("the storage has no disk");
    await client.upload(Buffer.from("before"));
    const before = disk.memory.list(`${data}/00/00`);
    const upload = client.upload(Buffer.alloc(20_000, 7)).catch((error) => error as Error);
    // The worker has it, and waits for the flush of its content.
    while ((disk.memory.list(`${data}/.cairn/tmp`) ?? []).length === 0) {
      await new Promise<void>((resolve) => {
        world.at(0.01, { life: undefined, label: "looks" }, resolve);
      });
    }
    disk.hang();
    const beganMs = world.nowMs;
    expect(await upload).toBeInstanceOf(Error);
    expect(world.nowMs - beganMs).toBeLessThan(9000);
    await pass(10_000);
    expect(await client.upload(Buffer.from("meanwhile")).catch(() => "refused")).toBe("refused");
    disk.goOn();
    await pass(10_000);
    expect(disk.memory.list(`${data}/00/00`)).toEqual(before);
    expect(disk.memory.list(`${data}/.cairn/tmp`)).toEqual([]);
    const id = await client.upload(Buffer.from("after"));
    expect((await client.downloadBytes(id)).toString()).toBe("after");
  });
});
