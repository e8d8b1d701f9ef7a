/**
 * Turns the source of an e-mail (RFC 822 with MIME) into the text that a reader would see.
 *
 * Of the headers only `Subject`, `From` and `Content-Type` are used: they come from the sender. Everything that a mail
 * server, a mailing list, a spam filter or the collector of a corpus wrote (`Received`, `Delivered-To`, `List-*`, `X-*`,
 * `Return-Path`, dates) is dropped, because it tells which mailbox a message was taken from rather than what it says.
 */

interface Entity {
  headers: Map<string, string>;
  body: string;
}

const maxNesting = 8;

const namedEntities: Record<string, string> = { nbsp: ' ', amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The headers that are read, each with the mark that begins its line in the text. */
const senderHeaders: readonly (readonly [name: string, mark: string])[] = [
  ['subject', '<subject>'],
  ['from', '<from>'],
  ['reply-to', '<reply-to>'],
  ['organization', '<organization>'],
  ['user-agent', '<mailer>'],
  ['x-mailer', '<mailer>'],
  ['x-priority', '<priority>'],
  ['content-type', '<content-type>'],
  ['content-transfer-encoding', '<encoding>'],
];

/** Of these only the presence counts: their values name other messages. */
const threadHeaders = ['in-reply-to', 'references'];

/**
 * The readable text of an e-mail: a line for each header of the sender's that is there, an empty line, then the text of
 * every readable part. Text without any header is taken as a body. `source` holds one character a byte (Latin-1).
 */
export function readMessage(source: string): string {
  const message = parseEntity(source);
  const lines = senderHeaders
    .filter(([name]) => message.headers.has(name))
    .map(([name, mark]) => `${mark} ${readHeader(name, message.headers.get(name) ?? '')}`);
  if (threadHeaders.some((name) => message.headers.has(name))) lines.push('<answer>');
  return [...lines, '', readBody(message, contentType(message), 0)].join('\n').trim();
}

/** Parameters are dropped: a boundary or file name is different in every message. */
function readHeader(name: string, value: string): string {
  return name.startsWith('content-') ? (value.split(';', 1)[0] ?? '') : decodeWords(value);
}

function parseEntity(source: string): Entity {
  const text = source.replace(/\r\n?/g, '\n').replace(/^From [^\n]*\n/, '');
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  if (!/^[!-9;-~]+:/.test(head)) return { headers: new Map(), body: text };
  const headers = new Map<string, string>();
  for (const line of head.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return { headers, body: end < 0 ? '' : text.slice(end).replace(/^\n+/, '') };
}

function contentType(entity: Entity): string {
  const value = entity.headers.get('content-type') ?? 'text/plain';
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function readBody(entity: Entity, type: string, depth: number): string {
  if (type.startsWith('multipart/') && depth < maxNesting) {
    return parts(entity)
      .map((part) => readBody(part, contentType(part), depth + 1))
      .join('\n');
  }
  if (type.startsWith('message/') && depth < maxNesting) {
    const inner = parseEntity(entity.body);
    return readBody(inner, contentType(inner), depth + 1);
  }
  if (!type.startsWith('text/') && type !== '') return `[${type}]`;
  const text = decodeTransfer(entity);
  return type === 'text/html' || /<html|<body/i.test(text) ? stripHtml(text) : text;
}

function parts(entity: Entity): Entity[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(entity.headers.get('content-type') ?? '')?.[1];
  if (boundary === undefined) return [{ headers: new Map(), body: entity.body }];
  return entity.body
    .split(`--${boundary.trim()}`)
    .slice(1)
    .filter((piece) => !piece.startsWith('--'))
    .map((piece) => parseEntity(piece.replace(/^[ \t]*\n/, '')));
}

function decodeTransfer(entity: Entity): string {
  const encoding = (entity.headers.get('content-transfer-encoding') ?? '').toLowerCase();
  if (encoding === 'base64') return Buffer.from(entity.body, 'base64').toString('latin1');
  if (encoding === 'quoted-printable') return decodeQuoted(entity.body.replace(/=[ \t]*\n/g, ''));
  return entity.body;
}

function decodeQuoted(text: string): string {
  return text.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Decodes the `=?charset?B|Q?…?=` words of a header; bytes are read as Latin-1, as everywhere here. */
function decodeWords(value: string): string {
  return value.replace(/=\?[^?]*\?([bq])\?([^?]*)\?=/gi, (_, kind: string, data: string) =>
    kind.toLowerCase() === 'b'
      ? Buffer.from(data, 'base64').toString('latin1')
      : decodeQuoted(data.replaceAll('_', ' ')),
  );
}

/** Drops comments, scripts, styles and tags; a link or picture leaves its address, since that is what is clicked. */
function stripHtml(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(?:-->|$)/g, '')
    .replace(/<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replace(/<(a|img|form)\b[^>]*?\b(?:href|src|action)\s*=\s*["']?([^"'\s>]+)[^>]*>/gi, ' <$1> $2 ')
    .replace(/<\/[^>]*>|<(?!(?:a|img|form)>)[a-z!][^>]*>/gi, ' ')
    .replace(/&(?:#(\d{1,5})|([a-z]+));?/gi, (entity: string, code: string | undefined, name: string | undefined) =>
      code === undefined ? (namedEntities[(name ?? '').toLowerCase()] ?? entity) : String.fromCharCode(Number(code)),
    );
}
