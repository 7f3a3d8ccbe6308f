// A mail server for tests: it takes mails and keeps them to be read, or turns them away.
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Starts one on a free port. `url` is for `mail.smtp_url`; `code(address)` waits for the next mail with a code to that address that nobody
 * has read yet; `refuse` makes it turn every mail away.
 */
export async function startMailbox() {
  const mails = [];
  const waiting = [];
  const mailbox = { refuse: false, mails };
  const give = () => {
    for (const wish of [...waiting]) {
      const mail = mails.find((one) => !one.read && one.to === wish.address && one.code);
      if (!mail) continue;
      mail.read = true;
      waiting.splice(waiting.indexOf(wish), 1);
      wish.done(mail.code);
    }
  };
  const server = createServer((socket) => {
    let [text, to, data] = ['', '', null];
    socket.on('error', () => {});
    socket.write('220 mail.test\r\n');
    socket.on('data', (bytes) => {
      text += bytes;
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (data) {
          if (line !== '.') {
            data.push(line);
            continue;
          }
          mails.push({ to, text: data.join('\n'), code: data.map((one) => one.trim()).find((one) => /^\d{6}$/.test(one)), read: false });
          data = null;
          socket.write('250 taken\r\n');
          give();
          continue;
        }
        const word = line.slice(0, 4).toUpperCase();
        if (word === 'RCPT') to = line.split(/[<>]/)[1];
        if (word === 'DATA') data = [];
        if (word === 'RCPT' && mailbox.refuse) socket.write('550 nobody of that name\r\n');
        else socket.write(word === 'EHLO' ? '250-mail.test\r\n250 8BITMIME\r\n' : word === 'DATA' ? '354 go on\r\n' : word === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  mailbox.url = `smtp://127.0.0.1:${server.address().port}`;
  mailbox.code = (address, within = 10_000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no code for ${address} within ${within} ms`)), within);
      waiting.push({ address, done: (code) => (clearTimeout(timer), resolve(code)) });
      give();
    });
  mailbox.stop = async () => {
    server.close();
    server.unref();
  };
  return mailbox;
}
