/**
 * What the two packages say of disks, as JSON. They run shells and wait for them, so that each call has a process of its own, which whoever
 * wants to know ends at a deadline. They are loaded there and nowhere else.
 */

export const diskPackages = ["systeminformation", "node-disk-info"] as const;
export type DiskPackage = (typeof diskPackages)[number];

export function isDiskPackage(name: string): name is DiskPackage {
  return diskPackages.some((each) => each === name);
}

export async function askDiskPackage(name: DiskPackage): Promise<string> {
  switch (name) {
    case "systeminformation": {
      const { blockDevices } = await import("systeminformation");
      return JSON.stringify(await blockDevices());
    }
    case "node-disk-info": {
      const { getDiskInfoSync } = await import("node-disk-info");
      const drives = getDiskInfoSync();
      return JSON.stringify(
        drives.map(({ filesystem, blocks, used, available, mounted }) => {
          return { filesystem, blocks, used, available, mounted };
        }),
      );
    }
  }
}
