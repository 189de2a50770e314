/** Settings of `[storage.scrub]`: reading all files now and then, to find what has rotted. */
import { setting, table } from "#config/setting.ts";
import { byteSize, duration, integer } from "#config/value-types.ts";

export const scrubSection = table(
  "Reading all files from the disks now and then, to find and heal what has rotted.",
  {
    period: setting(duration({ min: "0s", max: "3650d" }), {
      default: "30d",
      applies: "role-restart",
      says: "How often everything on a store path is read, and compared with the checksums in the names; the first time an hour after the start. 0s never does it by itself; cairn scrub does at any time.",
    }),
    rate: setting(byteSize({ min: "0", max: "1TiB" }), {
      default: 0,
      applies: "role-restart",
      says: "How many bytes a second are read from each store path at most; 0 reads as fast as the disk does while nobody asks for files.",
    }),
    busy_share: setting(integer({ min: 1, max: 100, unit: "percent" }), {
      default: 3,
      applies: "role-restart",
      says: "How much of a disk's time is used while clients or other storages are served from it, in percent.",
    }),
  },
);
