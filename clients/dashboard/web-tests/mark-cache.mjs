// Marks node_modules as a cache, so that backups and the laws about the repository's files leave it out.
import { existsSync, writeFileSync } from "node:fs";

const folder = new URL("./node_modules/", import.meta.url);
if (existsSync(folder)) {
  writeFileSync(new URL("CACHEDIR.TAG", folder), "Signature: 8a477f597d28d172789f06886806bc55\n");
}
