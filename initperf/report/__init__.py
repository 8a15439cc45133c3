"""The measurements that a report shows, and its tables."""
