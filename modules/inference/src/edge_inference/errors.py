"""Why a model cannot be used; each error carries the code that the module reports.

EdgeError
├── ModelError                 a model cannot be had, trusted or run
│   ├── BadDesiredError        BAD_DESIRED        what was asked for makes no sense
│   ├── AuthError              AUTH               the registry wants other credentials, or cannot be trusted
│   ├── NotFoundError          NOT_FOUND          the package, or a part of it, is not where it was said to be
│   │   └── UnreachableError   NOT_FOUND          nor could it be seen whether it is: trying again can help
│   ├── DigestMismatchError    DIGEST_MISMATCH    bytes are not those that the digest promised
│   ├── SignatureError         what vouches for the package does not
│   │   ├── SignatureMissingError  SIGNATURE_MISSING  nothing signs it
│   │   ├── SignatureInvalidError  SIGNATURE_INVALID  no signature is good, or by somebody who is trusted
│   │   └── SignatureExpiredError  SIGNATURE_EXPIRED  a signature was good, and has expired
│   ├── UnsafeModelError       UNSAFE_MODEL       the package would reach out of itself, or is no model package
│   ├── NoSpaceError           NO_SPACE           it does not fit the disk, or the limit
│   ├── LoadFailedError        LOAD_FAILED        onnxruntime cannot load it, or cannot run it at all
│   ├── ContractMismatchError  CONTRACT_MISMATCH  the contract is not one, or the graph does not fulfil it
│   ├── NoGpuError             NO_GPU             a GPU is required, and the session does not run on one
│   ├── DowngradeError         DOWNGRADE          an older version than the active one, and nobody allowed that
│   ├── OutOfMemoryError       OUT_OF_MEMORY      it needs more memory than there is
│   ├── GoldenFailedError      GOLDEN_FAILED      it does not give its package's own examples
│   ├── ErrorRateError         ERROR_RATE         it failed on too many live samples
│   ├── DisagreementError      DISAGREEMENT       it differs from the model before it too often
│   ├── LatencyError           LATENCY            it is too slow, held against the model before it
│   └── CrashLoopError         CRASH_LOOP         the process went down each time that it was tried
├── RunFailedError             one run failed; not a verdict on the model
├── TrialRefusedError          transform cannot prepare what it was asked to
└── TrialUnansweredError       nobody has prepared what was asked for

What is said of a model is reported once, by whoever tried to use it.
"""

from typing import ClassVar

from edge_common.errors import EdgeError


class ModelError(EdgeError):
    """A model cannot be had, trusted or run.

    Attributes:
        code: For machines; stable.
        condemns: Whether it is the package's own fault, so that trying it again would end the same way.
    """

    code: ClassVar[str]
    condemns: ClassVar[bool] = False


class BadDesiredError(ModelError):
    """The desired property asks for something that makes no sense."""

    code = "BAD_DESIRED"


class NotFoundError(ModelError):
    """The package, or a part of it, is not where the reference says."""

    code = "NOT_FOUND"


class AuthError(ModelError):
    """The registry wants other credentials than it is given, or its certificate is not trusted."""

    code = "AUTH"


class UnreachableError(NotFoundError):
    """Who has the package does not answer, or broke off; what was read so far is kept.

    Args:
        message: Why.
        after: Seconds that the other side wants to be left alone.
    """

    retryable = True

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class DigestMismatchError(ModelError):
    """Bytes are not those that their digest promised."""

    code = "DIGEST_MISMATCH"


class SignatureError(ModelError):
    """No signature vouches for the package."""


class SignatureMissingError(SignatureError):
    """Nothing signs the package."""

    code = "SIGNATURE_MISSING"
    hint = "sign it with `edge-model sign`"


class SignatureInvalidError(SignatureError):
    """A signature breaks a rule, is of something else, or of somebody who is not trusted."""

    code = "SIGNATURE_INVALID"


class SignatureExpiredError(SignatureError):
    """The signature, or a certificate that it rests on, was good and has expired."""

    code = "SIGNATURE_EXPIRED"
    hint = "sign the package again, and see that the clock is right"


class UnsafeModelError(ModelError):
    """The package would reach out of itself, or is no model package."""

    code = "UNSAFE_MODEL"
    condemns = True


class NoSpaceError(ModelError):
    """The package does not fit the disk, or is over ``maxModelBytes`` or ``maxStoreBytes``."""

    code = "NO_SPACE"


class LoadFailedError(ModelError):
    """onnxruntime cannot load the graph, or cannot run it even on zeros."""

    code = "LOAD_FAILED"
    condemns = True


class ContractMismatchError(ModelError):
    """The package's contract is not one, or its graph does not fulfil it."""

    code = "CONTRACT_MISMATCH"
    condemns = True


class NoGpuError(ModelError):
    """A GPU is required, and the session does not run on one."""

    code = "NO_GPU"
    hint = (
        "give the container a GPU with its driver, and use the image with onnxruntime-gpu; or set requireGpu to false"
    )


class DowngradeError(ModelError):
    """The version is lower than the active one's, and the wish does not allow that."""

    code = "DOWNGRADE"
    hint = "set allowDowngrade to true in the desired property if the older version is really wanted"


class OutOfMemoryError(ModelError):
    """The model needs more memory than there is."""

    code = "OUT_OF_MEMORY"
    condemns = True


class GoldenFailedError(ModelError):
    """The model does not give what the examples in its own package say."""

    code = "GOLDEN_FAILED"
    condemns = True


class ErrorRateError(ModelError):
    """The model failed on too many live samples."""

    code = "ERROR_RATE"
    condemns = True


class DisagreementError(ModelError):
    """The model predicts something else than the one before it too often."""

    code = "DISAGREEMENT"
    condemns = True


class LatencyError(ModelError):
    """The model is too slow, held against the one before it."""

    code = "LATENCY"
    condemns = True


class CrashLoopError(ModelError):
    """The process went down each time that this model was tried."""

    code = "CRASH_LOOP"
    condemns = True


class RunFailedError(EdgeError):
    """One run of a loaded model failed.

    Args:
        message: Why.
        out_of_memory: Whether that was for want of memory.
    """

    def __init__(self, message: str, *, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory


class TrialRefusedError(EdgeError):
    """The file that was to be prepared on trial cannot be, or not now; says why as transform does."""


class TrialUnansweredError(EdgeError):
    """Nothing came back of what was to be prepared on trial."""

    retryable = True
    hint = "does transform run, and do routes lead from inference's output trials to its input trials, and back?"
