/** The second of the two storages that a node is where `storage.layout` is "mirror": `[storage.mirror]`. */
import { setting, table } from "#config/setting.ts";
import { flag, integer, list, storageServerId } from "#config/value-types.ts";
import { maxStorePaths } from "#model/store-path-index.ts";

export const mirrorSection = table(
  "The second half of a mirror; the first one has the port and number of [storage]. With a tracker of this node's own and no storage_ids_file nothing is to be set; every other tracker needs both halves in its storage ids, with their ports, and ids in file names.",
  {
    port: setting(integer({ min: 0, max: 65_535 }), {
      default: 23_001,
      applies: "role-restart",
      says: "TCP port of the second half.",
    }),
    paths: setting(list(integer({ min: 0, max: 255 }), { min: 0, max: maxStorePaths }), {
      default: [],
      applies: "role-restart",
      says: "Which store paths of this node are the second half's, counted from 0, half of them all; empty takes every second one, beginning with 1.",
    }),
    server_id: setting(storageServerId(), {
      default: "",
      applies: "role-restart",
      says: "The second half's number in the tracker's storage_ids_file; empty means that the tracker finds it by address and port.",
    }),
    one_disk: setting(flag(), {
      default: false,
      applies: "role-restart",
      says: "Whether both halves may lie on one file system, where the loss of a disk takes both.",
    }),
  },
);
