// Serves SNS and SQS on the loopback alone and says where: fauxqs's own command binds all addresses.
//   node lab/fauxqs.mjs DIR [PORT]     DIR is where npm installed fauxqs; without PORT a free one is taken
import { pathToFileURL } from "node:url";

const [dir, port = "0"] = process.argv.slice(2);
const { buildApp } = await import(pathToFileURL(`${dir}/node_modules/fauxqs/dist/app.js`));
const app = buildApp({ logger: false });
console.log(`listening on ${await app.listen({ host: "127.0.0.1", port: Number(port) })}`);
