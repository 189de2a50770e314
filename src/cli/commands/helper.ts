/** `cairn helper`: the process that does for the daemon what needs root. Not for people: systemd or the daemon starts it. */
import type { HelperCommandOptions } from "#cli/cli-world.ts";
import type { Command } from "#cli/command.ts";

export const helperCommand: Command = {
  name: "helper",
  summary: "touch disks for the daemon, as root",
  description: [
    "Does what needs the rights of root for the daemon and refuses everything else: looks at disks, makes, mounts and unmounts those that were given to Cairn, asks them for their health. Nothing is written to a disk that is not provably blank, unless its model, serial and size are given.",
    "Listens on the socket that systemd passes to it, on --listen, or talks over its own streams with --stdio.",
  ],
  positionals: [],
  options: [
    { name: "stdio", says: "talk over standard input and output" },
    { name: "listen", value: "PATH", says: "a Unix socket to listen on", complete: "file" },
    {
      name: "mount-directory",
      value: "PATH",
      says: "where disks are mounted",
      complete: "directory",
    },
    { name: "state-directory", value: "PATH", says: "what it keeps", complete: "directory" },
    { name: "owner", value: "USER", says: "who owns the files on disks; a name, or UID:GID" },
  ],
  shared: [],
  examples: [],
  handlesInterrupts: true,
  run: (context) => {
    const { arguments: given } = context;
    const options: HelperCommandOptions = {
      stdio: given.has("stdio"),
      listen: given.value("listen"),
      mountDirectory: given.value("mount-directory") ?? "/srv/cairn",
      stateDirectory: given.value("state-directory") ?? "/var/lib/cairn-helper",
      owner: given.value("owner"),
    };
    return context.parts.helper(options);
  },
};
