// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// One error for each rule that an entry can break. Functions that judge return the selector of the
// first broken one, or 0; a single put reverts with it, a batch reports it.

// Not the one canonical encoding (docs/formats.md, "Objects"); each names the field.
error BadKind();
error BadVersion();
error TooLong();
error Truncated();
error TrailingBytes();
error BadExpires();
error BadNotBefore();
error BadRevokers();
error BadContact();
error BadComment();
error BadGrantee();
error BadPermissions();
error BadTtl();
error BadPattern();
error BadConditions();
error BadTarget();
error BadName();
error BadNonce();
error BadRetracted();
error BadAddress();

// Not signed by whom it says, or the hint beside it is not the even y of the signature's R.
error BadSignature();
error BadHint();

// Not admissible (docs/formats.md, "Admission").
error CreatedInFuture();
error Expired();
error NotNewer();
error EntityRevoked();
error SignerUnknown();
error SignerRevoked();
error SignerExpired();
error TargetUnknown();
error TargetRevoked();
error NotEntitled();
error AliasTaken();
error NonceNotAbove();
error NoOffer();
error RouterUnknown();
error RouterRevoked();
error RouterExpired();

// What was handed over is not items, or evidence that does not show what it should.
error BadFraming();
error BadEvidence();
error TreeFull();

// Why Registry.authorize() says no.
error NobodyActsAsEveryone();
error AsksForNothing();
error TooManyLinks();
error WrongStart();
error WrongEnd();
error BrokenPath();
error TtlSpent();
error HasConditions();
error NotYetValid();
error LinkExpired();
error WrongNamespace();
error PermissionsMissing();
error PatternNotCovered();
error NotOnLedger();
error LinkRevoked();
