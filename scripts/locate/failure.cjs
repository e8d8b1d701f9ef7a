'use strict';

/** A failure the user can act on: its message is all that is printed, after its code where it has one of lib/errors.ts. */
class ProvisionError extends Error {
  name = 'ProvisionError';

  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

module.exports = { ProvisionError };
