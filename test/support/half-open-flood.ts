/** Opens connections to a port of this machine that never ask for anything; a process of its own, for its own descriptors. */
import { connect } from "node:net";

const [port = "0", count = "0"] = process.argv.slice(2);
let open = 0;
let settled = 0;
const wanted = Number(count);
function next(): void {
  if (open >= wanted) return;
  open += 1;
  const socket = connect({ port: Number(port), host: "127.0.0.1" });
  let counted = false;
  const settle = (): void => {
    if (counted) return;
    counted = true;
    settled += 1;
    if (settled === wanted) process.stdout.write("all\n");
    next();
  };
  socket.on("connect", settle);
  socket.on("error", settle);
}
for (let at = 0; at < 200; at += 1) next();
process.stdin.on("end", () => process.exit());
process.stdin.resume();
