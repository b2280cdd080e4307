"""The asyncio shell around sessions: sockets, tasks, clocks, shutdown."""
