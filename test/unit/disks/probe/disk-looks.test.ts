import { expect, test } from "vitest";
import { DiskLooks } from "#disks/probe/disk-looks.ts";
import { commandError } from "#platform/commands.ts";
import { ScriptedCommands } from "../../../support/scripted-commands.ts";

const lsblk = { stdout: JSON.stringify({ blockdevices: [{ name: "sda", model: "M" }] }) };
const blkid = { stdout: "DEVNAME=/dev/sda\nTYPE=ext4\n" };

test("a disk is looked into once, again when it changed or somebody says so", async () => {
  const commands = new ScriptedCommands().answer("lsblk", lsblk).answer("blkid", blkid);
  const late: string[] = [];
  const looks = new DiskLooks(commands, (name) => late.push(name));
  const subject = { name: "sda", stamp: "1", unread: ["sda", "sda1"] };
  await looks.refresh([subject]);
  await looks.refresh([subject]);
  expect(commands.lines.map((line) => line.split(" ")[0])).toEqual(["lsblk", "blkid"]);
  expect(commands.lines[1]).toBe("blkid --probe --output export /dev/sda /dev/sda1");
  expect(looks.devices.get("sda")?.model).toBe("M");
  expect(looks.read.get("sda")?.signatures[0]?.type).toBe("ext4");
  await looks.refresh([{ ...subject, stamp: "2" }]);
  expect(commands.calls).toHaveLength(4);
  looks.forget("sda");
  await looks.refresh([{ ...subject, stamp: "2" }]);
  expect(commands.calls).toHaveLength(6);
  await looks.refresh([]);
  expect(looks.devices.size).toBe(0);
  expect(late).toEqual(["sda", "sda", "sda"]);
});

test("what udev knows is not read off the disk", async () => {
  const commands = new ScriptedCommands().answer("lsblk", lsblk);
  await new DiskLooks(commands, () => {}).refresh([{ name: "sda", stamp: "1", unread: [] }]);
  expect(commands.lines).toHaveLength(1);
});

test("one that hangs is said to, and others are not asked with it", async () => {
  const commands = new ScriptedCommands()
    .answer("lsblk", lsblk)
    .answer("blkid", () => Promise.reject(commandError("command-hung", "no end")));
  const looks = new DiskLooks(commands, () => {});
  await looks.refresh([{ name: "sda", stamp: "1", unread: ["sda"] }]);
  expect(looks.problemOf("sda")).toBe("reading its first blocks hangs");
  await looks.refresh([{ name: "sda", stamp: "1", unread: ["sda"] }]);
  expect(commands.calls).toHaveLength(2);
});

test("while a look is under way no second one begins", async () => {
  let end = (): void => {};
  const commands = new ScriptedCommands().answer(
    "lsblk",
    () =>
      new Promise((resolve) => {
        end = () => resolve(lsblk);
      }),
  );
  const looks = new DiskLooks(commands, () => {});
  const subjects = [{ name: "sda", stamp: "1", unread: [] }];
  const both = [looks.refresh(subjects), looks.refresh(subjects)];
  expect(looks.isUnderWay("sda")).toBe(true);
  end();
  await Promise.all(both);
  expect(looks.isUnderWay("sda")).toBe(false);
  expect(commands.calls).toHaveLength(1);
});

test("programs that are not there are not asked again", async () => {
  const commands = new ScriptedCommands();
  const looks = new DiskLooks(commands, () => {});
  await looks.refresh([{ name: "sda", stamp: "1", unread: ["sda"] }]);
  await looks.refresh([{ name: "sda", stamp: "2", unread: ["sda"] }]);
  expect(commands.calls).toHaveLength(2);
  expect(looks.problemOf("sda")).toBeUndefined();
});

test("with many disks so many are looked into at once, and all in the end", async () => {
  let underWay = 0;
  let most = 0;
  const commands = new ScriptedCommands().answer("lsblk", async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    return {};
  });
  const looks = new DiskLooks(commands, () => {});
  const names = Array.from({ length: 30 }, (_, at) => `sd${at}`);
  const subjects = names.map((name) => ({ name, stamp: "1", unread: [] }));
  await Promise.all([looks.refresh(subjects), looks.refresh(subjects)]);
  expect(commands.calls).toHaveLength(30);
  expect(most).toBe(8);
  expect(names.some((name) => looks.isUnderWay(name))).toBe(false);
});
