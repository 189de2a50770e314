/** Block devices, claims included, on loop devices. */
import { expect, test } from "vitest";
import { nodeBlockDevices } from "#platform/node/node-block-devices.ts";
import { LoopDevice, loopNeeds } from "../../../support/loop-device.ts";
import { needs } from "../../../support/needs.ts";

needs(...loopNeeds)(
  "a device that is claimed is nobody else's to claim, and anybody's to read",
  async () => {
    using disk = new LoopDevice(8);
    const bytes = Buffer.from("cairn");
    {
      await using claimed = await nodeBlockDevices.open(disk.path, "claim");
      const second = nodeBlockDevices.open(disk.path, "claim");
      await expect(second).rejects.toMatchObject({ code: "EBUSY" });
      await expect(nodeBlockDevices.open(disk.path, "look-alone")).rejects.toMatchObject({
        code: "EBUSY",
      });
      await claimed.write(bytes, 4096);
      await claimed.flush();
    }
    await using device = await nodeBlockDevices.open(disk.path, "look-alone");
    const found = Buffer.alloc(5);
    expect(await device.read(found, 4096)).toBe(5);
    expect(found).toEqual(bytes);
    expect(await device.read(found, 8 * 1024 ** 2)).toBe(0);
    await expect(device.write(bytes, 0)).rejects.toMatchObject({ code: "EBADF" });
    expect(device.major).toBe(7);
  },
);

test("what is no block device is refused, and links are not followed", async () => {
  const open = (path: string) => nodeBlockDevices.open(path, "look");
  await expect(open("/dev/null")).rejects.toMatchObject({ code: "ENOTBLK" });
  await expect(open("/dev/no-such-disk")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(open("/dev/stdin")).rejects.toMatchObject({ code: "ELOOP" });
});
