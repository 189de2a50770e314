/** News without udev, and with it. */
import { expect, test } from "vitest";
import { Hotplug } from "#disks/hotplug.ts";
import { diskMachine } from "../../support/disk-machines.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import type { MemorySystemFiles } from "../../support/memory-system-files.ts";
import { ScriptedChildren } from "../../support/scripted-children.ts";

const usb =
  "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-2/2-2:1.0/host4/target4:0:0/4:0:0:0/block/sdc";

function stage(files: MemorySystemFiles) {
  const clock = new ManualClock();
  const children = new ScriptedChildren();
  const news: (readonly string[])[] = [];
  const hotplug = new Hotplug({ files, children, clock, onNews: (names) => news.push(names) });
  hotplug.start();
  let events = 1;
  const event = (): void => {
    events += 1;
    files.files.set("/sys/kernel/uevent_seqnum", `${events}\n`);
  };
  return { clock, children, news, hotplug, event };
}

test("who comes, goes and changes is told within half a second, in one go", () => {
  const files = diskMachine("usb-same-serial");
  files.files.set("/sys/kernel/uevent_seqnum", "1\n");
  const { clock, news, event } = stage(files);
  clock.advance(5000);
  expect(news).toEqual([]);
  files.remove("/sys/block/sdc");
  files.files.set(`${usb.replace("sdc", "sdb").replace("2-2", "2-1")}/other`, "");
  event();
  clock.advance(500);
  expect(news).toEqual([["sdc"]]);
  files.links.set("/sys/block/sdc", usb);
  files.files.set(`${usb}/diskseq`, "13\n");
  files.files.set("/proc/self/mountinfo", "1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n");
  event();
  clock.advance(500);
  expect(news.slice(1)).toEqual([["mounts", "sdc"]]);
  files.files.set(`${usb}/sdc1/size`, "100\n");
  event();
  clock.advance(500);
  expect(news.slice(2)).toEqual([["sdc"]]);
  expect(clock.pending).toBeGreaterThan(0);
});

test("while the kernel counts no event nothing but the count and the mounts is read", () => {
  const files = diskMachine("sata");
  files.files.set("/sys/kernel/uevent_seqnum", "1\n");
  const { clock } = stage(files);
  files.read.length = 0;
  clock.advance(10_000);
  expect(new Set(files.read)).toEqual(
    new Set(["/sys/kernel/uevent_seqnum", "/proc/self/mountinfo"]),
  );
});

test("where udev runs its monitor tells, and is started again when it ends", () => {
  const files = diskMachine("sata");
  files.files.set("/run/udev/control", "");
  files.files.set("/sys/kernel/uevent_seqnum", "1\n");
  const { clock, children, news, hotplug } = stage(files);
  expect(children.last.words.join(" ")).toBe(
    "udevadm monitor --kernel --udev --property --subsystem-match=block",
  );
  children.last.say("DEVNAME=/dev/sdz\nDEVNAME=/dev/sdz\n");
  clock.advance(60);
  expect(news).toEqual([["sdz"]]);
  children.last.end("ended with 1");
  clock.advance(30_000);
  expect(children.started).toHaveLength(2);
  hotplug.stop();
  expect(children.last.isAbandoned).toBe(true);
  expect(clock.pending).toBe(0);
});
