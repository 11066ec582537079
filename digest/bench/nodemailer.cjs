// Send ready messages through nodemailer's pool, and print what it took as JSON.
// node nodemailer.cjs PORT CONNECTIONS MESSAGES FILE...
const fs = require("fs");
const nodemailer = require("nodemailer");

const [port, connections, messages, ...files] = process.argv.slice(2);
const contents = files.map((file) => fs.readFileSync(file));
const pool = nodemailer.createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

async function main() {
  const began = process.hrtime.bigint();
  const used = process.cpuUsage();
  let next = 0;
  // As many at a time as keep all connections busy: a queue of all of them would only be memory.
  async function work() {
    while (next < Number(messages)) {
      const number = next++;
      await pool.sendMail({
        envelope: { from: "bounce@example.org", to: `reader${number}@site.example` },
        raw: contents[number % contents.length],
      });
    }
  }
  await Promise.all(Array.from({ length: 2 * Number(connections) }, work));
  pool.close();
  const spent = process.cpuUsage(used);
  console.log(JSON.stringify({
    seconds: Number(process.hrtime.bigint() - began) / 1e9,
    processor_seconds: (spent.user + spent.system) / 1e6,
  }));
}

main();
