/**
 * Throws a RangeError for metadata of a message whose lists say to be longer than they can be, or whose columns lie within each other
 * without end: apache-arrow would believe them, until there is no memory.
 */
export function checkMessage(bytes: Uint8Array): void {
  new MessageCheck(bytes).message();
}

/** The same for the footer of a file; gives where the number of its dictionaries stands, 0 where it has no list of them. */
export function checkFooter(bytes: Uint8Array): number {
  return new MessageCheck(bytes).footer();
}

// The numbers of fields of the tables in Arrow's Message.fbs, Schema.fbs and File.fbs.
const ofFooter = { schema: 1, dictionaries: 2, batches: 3, metadata: 4 };
const ofMessage = { headerType: 1, header: 2, metadata: 4 };
const ofSchema = { fields: 1, metadata: 2, features: 3 };
const ofField = { typeType: 2, type: 3, children: 5, metadata: 6 };
const ofBatch = { nodes: 1, buffers: 2, variadic: 4 };
const headers = { schema: 1, dictionary: 2, batch: 3 };
const union = 14;

/** Walks over a flatbuffer. */
class MessageCheck {
  readonly #view: DataView;
  #columns = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  message(): void {
    const message = this.#view.getUint32(0, true);
    const kind = this.#field(message, ofMessage.headerType);
    const header = this.#table(message, ofMessage.header);
    this.#list(message, ofMessage.metadata, 4);
    if (header === 0 || kind === 0) throw new RangeError('it has no header');
    const type = this.#view.getUint8(kind);
    if (type === headers.schema) this.#schema(header);
    else if (type === headers.batch) this.#batch(header);
    else if (type === headers.dictionary) this.#batch(this.#table(header, 1));
    else throw new RangeError(`it is of the unknown kind ${type}`);
  }

  footer(): number {
    const footer = this.#view.getUint32(0, true);
    const schema = this.#table(footer, ofFooter.schema);
    if (schema === 0) throw new RangeError('it has no schema');
    this.#schema(schema);
    this.#list(footer, ofFooter.batches, 24);
    this.#list(footer, ofFooter.metadata, 4);
    const [dictionaries] = this.#list(footer, ofFooter.dictionaries, 24);
    return dictionaries === 0 ? 0 : dictionaries - 4;
  }

  #schema(schema: number): void {
    this.#list(schema, ofSchema.metadata, 4);
    this.#list(schema, ofSchema.features, 8);
    this.#columnsOf(schema, ofSchema.fields);
  }

  #columnsOf(table: number, field: number): void {
    const [start, length] = this.#list(table, field, 4);
    for (let i = 0; i < length; ++i) {
      // A column takes more than 8 bytes: those that are visited again are too many.
      if (++this.#columns > this.#view.byteLength / 8) throw new RangeError('its columns lie within each other');
      const at = start + 4 * i;
      const column = at + this.#view.getUint32(at, true);
      this.#list(column, ofField.metadata, 4);
      const typeType = this.#field(column, ofField.typeType);
      const type = this.#table(column, ofField.type);
      if (typeType > 0 && type > 0 && this.#view.getUint8(typeType) === union) this.#list(type, 1, 4);
      this.#columnsOf(column, ofField.children);
    }
  }

  #batch(batch: number): void {
    if (batch === 0) throw new RangeError('a dictionary has no values');
    this.#list(batch, ofBatch.nodes, 16);
    this.#list(batch, ofBatch.buffers, 16);
    this.#list(batch, ofBatch.variadic, 8);
  }

  /** Where a field of a table lies; 0 where it is not there. */
  #field(table: number, index: number): number {
    const slots = table - this.#view.getInt32(table, true);
    const slot = 4 + 2 * index;
    if (slot >= this.#view.getUint16(slots, true)) return 0;
    const offset = this.#view.getUint16(slots + slot, true);
    return offset === 0 ? 0 : table + offset;
  }

  #table(table: number, index: number): number {
    const at = this.#field(table, index);
    return at === 0 ? 0 : at + this.#view.getUint32(at, true);
  }

  /** A list's start and length. Throws where it goes on after the bytes. */
  #list(table: number, index: number, itemBytes: number): [start: number, length: number] {
    const at = this.#table(table, index);
    if (at === 0) return [0, 0];
    const length = this.#view.getUint32(at, true);
    if (at + 4 + length * itemBytes > this.#view.byteLength)
      throw new RangeError(`a list says to have ${length} items`);
    return [at + 4, length];
  }
}
