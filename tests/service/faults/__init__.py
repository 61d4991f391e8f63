"""What happens when machines fail: writers are killed, disks are full, files are damaged, clocks are set back."""
