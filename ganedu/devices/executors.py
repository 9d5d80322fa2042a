"""Where jobs are done that do not depend on each other: in threads of this process, or on a Dask cluster."""

from concurrent.futures import ThreadPoolExecutor

from ganedu.runtime import UsageError


def executor(scheduler, jobs, report=print):
    """An executor of `concurrent.futures`, and a function that ends it.

    Args:
        scheduler: the address of a Dask scheduler, as `tcp://host:8786`, or `None`: threads, where the work is done in
            processes of its own.
        jobs: int, how many threads.
        report: function of a str, told that a scheduler has no worker yet. Defaults to `print`.

    Raises:
        UsageError: if Dask is not installed, or no scheduler answers.
    """
    if scheduler is None:
        threads = ThreadPoolExecutor(jobs)
        return threads, lambda: threads.shutdown(cancel_futures=True)
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--scheduler needs Dask: pip install 'ganedu[cluster]'") from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as e:
        raise UsageError(f"No scheduler answers at {scheduler} ({type(e).__name__})") from None
    if not client.scheduler_info()["workers"]:
        report(f"{scheduler} has no worker yet; runs begin with the first: dask worker {scheduler}")
    return client.get_executor(), client.close
